// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "base/files.hpp"
#include "data/upload_json.hpp"
#include "image/decode.hpp"
#include "serve/api.hpp"
#include "serve/upload_messages.hpp"

namespace imago::serve {
namespace {

using data::Upload;

/// What each handler gets: the one object that all of them share.
struct Uploading {
  Api api;
  std::shared_ptr<data::Uploads> uploads;
};

struct Totals {
  std::size_t labelled = 0, unlabelled = 0;
  std::map<std::string, std::size_t> by_label;
};

Totals count(const std::vector<Upload>& staged) {
  Totals totals;
  for (const auto& upload : staged) {
    ++(upload.label.empty() ? totals.unlabelled : totals.labelled);
    if (!upload.label.empty()) ++totals.by_label[upload.label];
  }
  return totals;
}

void refuse_all(Reply& reply, const std::vector<data::Refusal>& rejected) {
  const auto& first = rejected.front();
  const auto text = rejected.size() == 1 ? fmt::format("{}: {}", first.path, first.reason)
                                         : fmt::format("none of the {} files was taken; the first, {}: {}",
                                                       rejected.size(), first.path, first.reason);
  auto response = error_response(400, to_string(ErrorCode::InvalidArgument), text, reply.request_id());
  response.body.pop_back();
  response.body += ",\"rejected\":" + json::dump(data::to_json(rejected)) + "}";
  reply.send(std::move(response));
}

void add(const Uploading& self, Reply reply) {
  const auto files = incoming_files(reply.request());
  if (!files && files.error().code == ErrorCode::Unsupported) return reply.fail(415, files.error());
  if (!files) return reply.fail(files.error(), Blame::Request);
  const auto report = self.uploads->add(*files, known_labels(self.api));
  if (!report) return reply.fail(report.error(), blame_for(report.error()));
  if (report->accepted.empty()) return refuse_all(reply, report->rejected);
  const auto staged = self.uploads->staged();
  if (!staged) return reply.fail(staged.error(), Blame::Service);
  auto ids = json::Value::array();
  for (const auto& upload : report->accepted) ids.push_back(upload.id);
  const auto totals = count(*staged);
  reply.send_json(
      {{"files", std::move(ids)},
       {"count", report->accepted.size()},
       {"uploads", with_urls(report->accepted)},
       {"rejected", data::to_json(report->rejected)},
       {"aliases", data::to_json(report->aliases)},
       {"staged", {{"total", staged->size()}, {"labelled", totals.labelled}, {"unlabelled", totals.unlabelled}}}});
}

void list(const Uploading& self, Reply reply) {
  const auto staged = self.uploads->staged();
  if (!staged) return reply.fail(staged.error(), Blame::Service);
  const auto totals = count(*staged);
  auto by_label = json::Value::object();
  for (const auto& [label, images] : totals.by_label) by_label[label] = images;
  reply.send_json({{"uploads", with_urls(*staged)},
                   {"total", staged->size()},
                   {"labelled", totals.labelled},
                   {"unlabelled", totals.unlabelled},
                   {"by_label", std::move(by_label)},
                   {"labels", known_labels(self.api)}});
}

void show(const Uploading& self, Reply reply) {
  auto bytes = self.uploads->read(reply.request().captures.at("id"));
  if (!bytes) return reply.fail(bytes.error(), blame_for(bytes.error()));
  const auto probe = image::probe(as_bytes(*bytes));
  if (!probe) return reply.fail(probe.error(), Blame::Service);
  reply.send({.headers = {{"Content-Type", std::string(image::media_type(probe->format))},
                          {"Cache-Control", "private, max-age=3600"}},
              .body = std::move(*bytes)});
}

/// The "label" of a JSON body; null is none.
Result<std::string> label_in(const http::Request& request) {
  auto body = json::parse(request.body);
  if (!body || !body->is_object() || !body->contains("label"))
    return fail(ErrorCode::InvalidArgument, R"(expected JSON such as {{"label": "cat"}})");
  return json::get_or<std::string>(*body, "label", "");
}

void relabel(const Uploading& self, Reply reply) {
  const auto label = label_in(reply.request());
  if (!label) return reply.fail(label.error(), Blame::Request);
  const auto upload = self.uploads->set_label(reply.request().captures.at("id"), *label, known_labels(self.api));
  if (!upload) return reply.fail(upload.error(), blame_for(upload.error()));
  reply.send_json(with_url(*upload));
}

void remove(const Uploading& self, Reply reply) {
  const auto& id = reply.request().captures.at("id");
  if (const auto removed = self.uploads->remove(id); !removed)
    return reply.fail(removed.error(), blame_for(removed.error()));
  reply.send_json({{"deleted", id}});
}

}  // namespace

void add_upload_routes(RouteList& routes, const Api& api) {
  const Uploading self{api, std::make_shared<data::Uploads>(open_uploads(api))};
  const auto with = [&](void (*handler)(const Uploading&, Reply)) {
    return [self, handler](Reply reply) { handler(self, std::move(reply)); };
  };
  for (const auto* path : {"/v1/uploads", "/upload-data", "/upload_data"})
    routes.add_blocking("POST", path, Scope::Write, with(add));
  routes.add_blocking("GET", "/v1/uploads", Scope::Predict, with(list));
  routes.add_blocking("GET", "/v1/uploads/{id}", Scope::Predict, with(show));
  routes.add_blocking("PATCH", "/v1/uploads/{id}", Scope::Write, with(relabel));
  routes.add_blocking("DELETE", "/v1/uploads/{id}", Scope::Write, with(remove));
}

}  // namespace imago::serve
