// SPDX-License-Identifier: Apache-2.0
// /v1/feedback: what images really showed, and from that how often each version is right. docs/api/feedback.md
#include "base/files.hpp"
#include "data/aliases.hpp"
#include "image/decode.hpp"
#include "serve/api.hpp"
#include "serve/feedback_messages.hpp"
#include "serve/parameters.hpp"
#include "serve/upload_messages.hpp"

namespace imago::serve {
namespace {

using monitor::Feedback;
using monitor::FeedbackFilter;

constexpr int kDefaultRows = 50, kMostRows = 1000, kMostVersions = 1'000'000'000;

struct Feedbacks {
  Api api;
  std::shared_ptr<monitor::FeedbackLog> log;
};

/// What was answered, and the labels it could have been.
struct Answered {
  std::string model;
  int version = 0;
  std::string predicted;
  std::optional<double> confidence;
  std::vector<std::string> labels;
};

/// As the server remembers it.
std::optional<Answered> remembered(const Api& api, const Told& told) {
  const auto answer = api.recent ? api.recent->find(told.request, told.item) : std::nullopt;
  if (told.request.empty() || !answer) return std::nullopt;
  const auto& labels = answer->by->labels;
  return Answered{answer->by->model, answer->by->version, labels[static_cast<std::size_t>(answer->class_index)],
                  answer->confidence, labels};
}

/// As the client says it was.
Result<Answered> as_told(const Api& api, const Told& told) {
  if (told.model.empty() || told.version == 0 || told.predicted.empty())
    return fail(ErrorCode::NotFound,
                "no answer to request '{}' is remembered here: send what was answered, as 'model', 'model_version' "
                "and 'prediction'",
                told.request);
  TRY(const auto version, api.backend.models->resolve(fmt::format("{}:{}", told.model, told.version)));
  TRY(const auto package, api.backend.models->open(version));
  return Answered{version.model, version.version, told.predicted, told.confidence, package.spec.labels};
}

Result<std::string> label_among(const std::string& name, const std::string& given,
                                const std::vector<std::string>& labels) {
  const auto label = data::resolve_label(given, labels, data::default_aliases(labels));
  if (label) return *label;
  std::string known;
  for (const auto& one : labels) known += fmt::format("{}{}", known.empty() ? "" : ", ", one);
  return fail(ErrorCode::InvalidArgument, "'{}' is '{}', no label of this model; it knows {}", name,
              given.substr(0, 100), known);
}

/// The image becomes a labelled upload, for the next retraining.
Result<std::string> keep_image(const Api& api, const Told& told, const Answered& answered, const std::string& label) {
  if (told.image().empty()) return std::string();
  if (const auto probe = image::probe(as_bytes(told.image())); !probe)  // an archive would be taken for what is in it
    return fail(ErrorCode::InvalidArgument, "the image: {}", probe.error().message);
  const std::string name = told.filename.empty() ? "feedback" : told.filename;
  TRY(const auto report, open_uploads(api).add({{name, label, told.image()}}, answered.labels));
  if (report.accepted.size() == 1) return report.accepted.front().id;
  return fail(ErrorCode::InvalidArgument, "the image: {}",
              report.rejected.empty() ? "not one image" : report.rejected.front().reason);
}

Result<json::Value> keep(const Feedbacks& self, const Told& told) {
  auto answered = remembered(self.api, told);
  if (!answered) {
    TRY(answered, as_told(self.api, told));
  }
  Feedback feedback{.id = {},
                    .created = {},
                    .request = told.request,
                    .item = told.item,
                    .model = answered->model,
                    .version = answered->version,
                    .predicted = {},
                    .confidence = answered->confidence,
                    .label = {}};
  TRY(feedback.predicted, label_among("prediction", answered->predicted, answered->labels));
  TRY(feedback.label, label_among("label", told.label, answered->labels));
  feedback.sha256 = told.image().empty() ? told.sha256 : sha256(told.image());
  feedback.note = told.note;
  TRY(feedback.upload, keep_image(self.api, told, *answered, feedback.label));
  TRY(const auto added, self.log->add(std::move(feedback)));
  return to_json(added);
}

void add(const Feedbacks& self, Reply reply) {
  const auto told = told_in(reply.request());
  if (!told && told.error().code == ErrorCode::Unsupported) return reply.fail(415, told.error());
  if (!told) return reply.fail(told.error(), Blame::Request);
  const auto kept = keep(self, *told);
  if (!kept) return reply.fail(kept.error(), blame_for(kept.error()));
  reply.send_json(*kept);
}

Result<FeedbackFilter> filter_in(const http::Request& request) {
  FeedbackFilter filter;
  filter.model = std::string(request.parameter("model"));
  if (!filter.model.empty()) TRY_VOID(registry::check_model_name(filter.model));
  TRY(const int version, number_in_query(request, "version", 0, 1, kMostVersions));
  if (version > 0) filter.version = version;
  const auto correct = request.parameter("correct");
  if (!correct.empty() && correct != "true" && correct != "false")
    return fail(ErrorCode::InvalidArgument, "correct={}: expected true or false", correct.substr(0, 40));
  if (!correct.empty()) filter.correct = correct == "true";
  return filter;
}

Result<json::Value> list(const Feedbacks& self, const http::Request& request) {
  TRY(const auto filter, filter_in(request));
  TRY(const auto page, page_in(request, kDefaultRows, kMostRows));
  TRY(auto rows, self.log->list(filter, page.limit + 1, page.offset));
  TRY(const auto total, self.log->count(filter));
  TRY(const auto accuracy, self.log->accuracy({.model = filter.model, .version = filter.version}));
  const auto next = end_page(rows, page);
  json::Value feedback = json::Value::array();
  for (const auto& row : rows) feedback.push_back(to_json(row));
  return json::Value{
      {"feedback", std::move(feedback)}, {"total", total}, {"next_offset", next}, {"accuracy", to_json(accuracy)}};
}

Result<json::Value> remove(const Feedbacks& self, const http::Request& request) {
  const auto& id = request.captures.at("id");
  TRY_VOID(self.log->remove(id));
  return json::Value{{"deleted", id}};
}

}  // namespace

void add_feedback_routes(RouteList& routes, const Api& api) {
  if (api.backend.models == nullptr) return;
  const Feedbacks self{api, std::make_shared<monitor::FeedbackLog>(*api.backend.database)};
  const auto add_route = [&](const char* method, const char* path, Scope scope,
                             Result<json::Value> (*make)(const Feedbacks&, const http::Request&)) {
    routes.add_blocking(method, path, scope, [self, make](Reply reply) {
      const auto value = make(self, reply.request());
      if (value) return reply.send_json(*value);
      reply.fail(value.error(), blame_for(value.error()));
    });
  };
  add_route("GET", "/v1/feedback", Scope::Predict, list);
  routes.add_blocking("POST", "/v1/feedback", Scope::Write, [self](Reply reply) { add(self, std::move(reply)); });
  add_route("DELETE", "/v1/feedback/{id}", Scope::Write, remove);
}

}  // namespace imago::serve
