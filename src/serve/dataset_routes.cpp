// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/files.hpp"
#include "data/import.hpp"
#include "image/decode.hpp"
#include "serve/api.hpp"
#include "serve/dataset_cache.hpp"
#include "serve/parameters.hpp"

namespace imago::serve {
namespace {

using data::Split;

constexpr std::size_t kRefusalsShown = 100;
constexpr int kDefaultSamples = 12, kMostSamples = 200, kMostRows = 1000;
constexpr std::array kSplits{Split::Train, Split::Validation, Split::Test};

/// What each handler gets.
struct Datasets {
  Api api;
  std::shared_ptr<DatasetCache> cache;

  [[nodiscard]] const data::Repository& repository() const { return *api.backend.datasets; }
};

/// NAME of the path, with the version of the query where there is one.
std::string reference_in(const http::Request& request) {
  const auto version = request.parameter("version");
  return request.captures.at("name") + (version.empty() ? "" : "@" + std::string(version));
}

/// When and from what each version was made, by "NAME@VERSION"; what came before there was such a table is not in it.
struct Origin {
  std::string created, source;
};
Result<std::map<std::string, Origin>> origins(store::Database& database) {
  TRY(const auto rows, database.query("SELECT dataset, version, created, source FROM dataset_versions", {}));
  std::map<std::string, Origin> found;
  for (const auto& row : rows)
    found[row.text("dataset") + "@" + row.text("version")] = {row.text("created"), row.text("source")};
  return found;
}

Result<json::Value> list_datasets(const Datasets& self, const http::Request& request) {
  TRY(const auto page, page_in(request, kMostRows, kMostRows));
  TRY(auto names, self.repository().names());
  const auto next = take_page(names, page);
  TRY(const auto known, origins(*self.api.backend.database));
  auto list = json::Value::array();
  for (const auto& name : names) {
    TRY(const auto history, self.repository().history(name));
    TRY(const auto newest, self.repository().version(name));
    const auto version = std::ranges::find(history, newest, &data::VersionSummary::version);
    if (version == history.end()) continue;  // made this very moment
    const auto origin = known.find(name + "@" + newest);
    list.push_back({{"name", name},
                    {"version", newest},
                    {"versions", history.size()},
                    {"images", version->images},
                    {"labels", version->labels},
                    {"created", origin == known.end() ? version->created : origin->second.created},
                    {"source", origin == known.end() ? json::Value() : json::Value(origin->second.source)}});
  }
  return json::Value{{"datasets", std::move(list)}, {"next_offset", next}};
}

json::Value counts_of(const data::Manifest& manifest) {
  const auto counts = data::count_images(manifest);
  auto value = json::Value::object();
  for (const auto split : kSplits) {
    auto by_label = json::Value::object();
    const auto row = counts.find(split);
    for (std::size_t i = 0; i < manifest.labels.size(); ++i)
      by_label[manifest.labels[i]] = row == counts.end() ? 0 : row->second[i];
    value[std::string(data::to_string(split))] = std::move(by_label);
  }
  return value;
}

json::Value spread_of(const data::Manifest& manifest, int data::Entry::*side) {
  std::vector<int> sides;
  for (const auto& entry : manifest.entries) sides.push_back(entry.*side);
  if (sides.empty()) return nullptr;
  std::ranges::sort(sides);
  return {{"min", sides.front()}, {"median", sides[sides.size() / 2]}, {"max", sides.back()}};
}

json::Value to_json(const data::VersionSummary& version) {
  return {{"version", version.version},
          {"parent", version.parent.empty() ? json::Value() : json::Value(version.parent)},
          {"created", version.created},
          {"images", version.images}};
}

Result<json::Value> list_versions(const Datasets& self, const http::Request& request) {
  TRY(const auto page, page_in(request, kMostRows, kMostRows));
  const auto& name = request.captures.at("name");
  TRY_VOID(self.repository().version(name));
  TRY(auto history, self.repository().history(name));
  const auto next = take_page(history, page);
  auto versions = json::Value::array();
  for (const auto& version : history) versions.push_back(to_json(version));
  return json::Value{{"name", name}, {"versions", std::move(versions)}, {"next_offset", next}};
}

Result<json::Value> show_dataset(const Datasets& self, const http::Request& request) {
  const auto reference = reference_in(request);
  TRY(const auto dataset, self.cache->load(reference));
  const auto& manifest = dataset->manifest;
  TRY(const auto refusals, self.repository().refusals(manifest.name + "@" + dataset->version));
  TRY(const auto history, self.repository().history(manifest.name));
  auto versions = json::Value::array();
  for (const auto& version : history) versions.push_back(to_json(version));
  auto refused = json::Value::array();
  for (std::size_t i = 0; i < std::min(refusals.size(), kRefusalsShown); ++i)
    refused.push_back({{"path", refusals[i].path}, {"reason", refusals[i].reason}});
  return json::Value{
      {"name", manifest.name},
      {"version", dataset->version},
      {"parent", manifest.parent.empty() ? json::Value() : json::Value(manifest.parent)},
      {"versions", std::move(versions)},
      {"images", manifest.entries.size()},
      {"labels", manifest.labels},
      {"counts", counts_of(manifest)},
      {"sizes",
       {{"width", spread_of(manifest, &data::Entry::width)}, {"height", spread_of(manifest, &data::Entry::height)}}},
      {"refused", std::move(refused)},
      {"refused_count", refusals.size()}};
}

/// Which images /samples was asked for.
struct Selection {
  std::optional<Split> split;
  std::optional<int> label;
  int limit = kDefaultSamples;
};

Result<Selection> selection_in(const http::Request& request, const data::Manifest& manifest) {
  Selection selection;
  if (const auto split = request.parameter("split"); !split.empty()) {
    TRY(selection.split, data::split_from(split));
  }
  if (const auto label = request.parameter("label"); !label.empty()) {
    const auto found = std::ranges::find(manifest.labels, label);
    if (found == manifest.labels.end())
      return fail(ErrorCode::InvalidArgument, "label '{}' is not one of {}", label, fmt::join(manifest.labels, ", "));
    selection.label = static_cast<int>(found - manifest.labels.begin());
  }
  TRY(selection.limit, number_in_query(request, "limit", kDefaultSamples, 1, kMostSamples));
  return selection;
}

/// Images spread evenly over those that match, so that every class is seen.
Result<json::Value> list_samples(const Datasets& self, const http::Request& request) {
  TRY(const auto dataset, self.cache->load(reference_in(request)));
  const auto& manifest = dataset->manifest;
  TRY(const auto selection, selection_in(request, manifest));
  std::vector<const data::Entry*> matching;
  for (const auto& entry : manifest.entries)
    if ((!selection.split || entry.split == *selection.split) && (!selection.label || entry.label == *selection.label))
      matching.push_back(&entry);
  const auto query = request.parameter("version").empty() ? "" : "?version=" + dataset->version;
  const std::size_t shown = std::min(static_cast<std::size_t>(selection.limit), matching.size());
  auto samples = json::Value::array();
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& entry = *matching[i * matching.size() / shown];
    samples.push_back({{"path", entry.path},
                       {"label", manifest.labels[static_cast<std::size_t>(entry.label)]},
                       {"split", data::to_string(entry.split)},
                       {"width", entry.width},
                       {"height", entry.height},
                       {"url", fmt::format("/v1/datasets/{}/images/{}{}", manifest.name, entry.sha256, query)}});
  }
  return json::Value{{"samples", std::move(samples)}, {"matching", matching.size()}};
}

Result<http::Response> image_response(const Datasets& self, const http::Request& request) {
  TRY(const auto dataset, self.cache->load(reference_in(request)));
  const auto& digest = request.captures.at("sha256");
  if (!dataset->contents.contains(digest))
    return fail(ErrorCode::NotFound, "data set '{}' has no image '{}'", dataset->manifest.name, digest);
  TRY(auto bytes, self.repository().read_object(digest));
  TRY(const auto probe, image::probe(as_bytes(bytes)));
  return http::Response{.headers = {{"Content-Type", std::string(image::media_type(probe.format))},
                                    {"Cache-Control", "private, max-age=31536000, immutable"},
                                    {"ETag", "\"" + digest + "\""}},
                        .body = std::move(bytes)};
}

/// A reference that is wrong is the request's fault, a broken data set ours.
void fail_with(Reply& reply, const Error& error) {
  const bool asked_wrong = error.code == ErrorCode::InvalidArgument || error.code == ErrorCode::NotFound;
  reply.fail(error, asked_wrong ? Blame::Request : Blame::Service);
}

}  // namespace

void add_dataset_routes(RouteList& routes, const Api& api) {
  if (api.backend.datasets == nullptr) return;
  const Datasets self{api, std::make_shared<DatasetCache>(*api.backend.datasets)};
  const auto answer = [&](const std::string& pattern,
                          Result<json::Value> (*make)(const Datasets&, const http::Request&)) {
    routes.add_blocking("GET", pattern, Scope::Predict, [self, make](Reply reply) {
      const auto value = make(self, reply.request());
      if (!value) return fail_with(reply, value.error());
      reply.send_json(*value);
    });
  };
  answer("/v1/datasets", list_datasets);
  answer("/v1/datasets/{name}", show_dataset);
  answer("/v1/datasets/{name}/versions", list_versions);
  answer("/v1/datasets/{name}/samples", list_samples);
  routes.add_blocking("GET", "/v1/datasets/{name}/images/{sha256}", Scope::Predict, [self](Reply reply) {
    auto response = image_response(self, reply.request());
    if (!response) return fail_with(reply, response.error());
    reply.send(std::move(*response));
  });
}

}  // namespace imago::serve
