// SPDX-License-Identifier: Apache-2.0
#include "serve/job_requests.hpp"

#include <fmt/ranges.h>

#include <charconv>

#include "data/aliases.hpp"
#include "http/multipart.hpp"
#include "serve/upload_messages.hpp"

namespace imago::serve {
namespace {

constexpr int kMostEpochs = 10'000;
constexpr std::int64_t kMostReplay = 100'000'000;
constexpr double kMostMinutes = 60.0 * 24 * 30;

/// Takes `key` from the wishes into the payload if it is there and in range.
template <class T>
Result<void> take_number(const json::Value& wishes, const char* key, T least, T most, json::Value& payload) {
  if (!wishes.contains(key) || wishes[key].is_null()) return {};
  TRY(const T value, json::get<T>(wishes, key));
  if (!(value >= least && value <= most))
    return fail(ErrorCode::InvalidArgument, "'{}' is {}: expected {} to {}", key, value, least, most);
  payload[key] = value;
  return {};
}

/// Where a job stands in the line decides what its client is told.
Result<Submitted> submit(const Api& api, const std::string& kind, const json::Value& payload,
                         const jobs::JobRequest& request = {}) {
  Submitted submitted;
  TRY(const auto before, api.backend.jobs->current());
  submitted.waits = before && before->ended.empty();
  TRY(submitted.job, api.backend.jobs->submit(kind, payload, request));
  if (api.backend.wake_worker) api.backend.wake_worker();
  return submitted;
}

/// The data set of the model being served, without its version; else the one that came last.
Result<std::string> default_dataset(const Api& api) {
  if (const auto live = api.current ? api.current() : nullptr) {
    const auto lineage = live->face()->status.value("lineage", json::Value());
    const auto reference = json::get_or<std::string>(lineage, "dataset", "").value_or("");
    if (!reference.empty()) return reference.substr(0, reference.find('@'));
  }
  TRY(const auto rows,
      api.backend.database->query("SELECT dataset FROM dataset_versions ORDER BY created DESC LIMIT 1", {}));
  if (rows.empty())
    return fail(ErrorCode::InvalidArgument, "no data set to train on yet: bring one in with `imago data import`");
  return rows.front().text("dataset");
}

/// The model a retraining is for.
struct Target {
  std::string model;
  std::vector<std::string> labels;
};

Result<Target> target_of(const Api& api, const json::Value& wishes) {
  const auto live = api.current ? api.current() : nullptr;
  const std::string served = live ? live->face()->status.value("name", "") : "";
  Target target;
  TRY(target.model, json::get_or<std::string>(wishes, "model", served));
  if (target.model.empty())
    return fail(ErrorCode::InvalidArgument, "no model to go on from yet: train one first, with POST /train");
  TRY_VOID(registry::check_model_name(target.model));
  TRY(const auto version, api.backend.models->resolve(target.model));
  TRY(const auto package, api.backend.models->open(version));
  const auto dataset = json::get_or<std::string>(package.lineage, "dataset", "").value_or("");
  if (dataset.empty() || !package.lineage.contains("recipe"))
    return fail(ErrorCode::InvalidArgument,
                "{}:{} does not say how and on what it was trained: train a version here first, with POST /train",
                version.model, version.version);
  TRY(const auto known, api.backend.datasets->versions(dataset.substr(0, dataset.find('@'))));
  if (known.empty())
    return fail(ErrorCode::InvalidArgument, "{} was trained on {}, which is not in this workspace", target.model,
                dataset);
  target.labels = package.spec.labels;
  return target;
}

/// "u4f0c..." from that, "uploads/u4f0c..." or "/v1/uploads/u4f0c...".
std::string id_of(const std::string& file) { return file.substr(file.find_last_of('/') + 1); }

/// Gives the uploads the labels that came with them; checks all before the first is changed.
Result<void> label_uploads(data::Uploads& uploads, const std::vector<std::string>& ids,
                           const std::vector<std::string>& labels, const std::vector<std::string>& known) {
  if (labels.size() != ids.size())
    return fail(ErrorCode::InvalidArgument, "{} files but {} labels: one each, in order", ids.size(), labels.size());
  const auto aliases = data::default_aliases(known);
  for (const auto& label : labels) {
    if (!data::resolve_label(label, known, aliases))
      return fail(ErrorCode::InvalidArgument, "'{}' is no label of this model; it knows {}", label,
                  fmt::join(known, ", "));
  }
  for (std::size_t i = 0; i < ids.size(); ++i) TRY_VOID(uploads.set_label(ids[i], labels[i], known));
  return {};
}

/// The uploads that "files" (and "labels") name.
Result<std::vector<std::string>> named_uploads(data::Uploads& uploads, const json::Value& wishes,
                                               const Target& target) {
  TRY(auto ids, json::get<std::vector<std::string>>(wishes, "files"));
  if (ids.empty()) return fail(ErrorCode::InvalidArgument, "'files' is empty: nothing new to train on");
  for (auto& id : ids) id = id_of(id);
  TRY_VOID(uploads.find(ids));
  TRY(const auto labels, json::get_or<std::vector<std::string>>(wishes, "labels", {}));
  if (!labels.empty()) TRY_VOID(label_uploads(uploads, ids, labels, target.labels));
  TRY(const auto found, uploads.find(ids));
  for (const auto& upload : found) {
    if (upload.label.empty())
      return fail(ErrorCode::InvalidArgument, "'{}' has no label: send 'labels', one for each of 'files'", upload.id);
  }
  return ids;
}

/// All that wait and fit the model; the others go to `rejected`.
Result<std::vector<std::string>> staged_uploads(data::Uploads& uploads, const Target& target,
                                                std::vector<data::Refusal>& rejected) {
  TRY(const auto staged, uploads.staged());
  const auto aliases = data::default_aliases(target.labels);
  std::vector<std::string> ids;
  for (const auto& upload : staged) {
    if (upload.label.empty()) {
      rejected.push_back({upload.name, "it has no label yet"});
    } else if (!data::resolve_label(upload.label, target.labels, aliases)) {
      rejected.push_back({upload.name, fmt::format("its label '{}' is none of {}", upload.label, target.model)});
    } else {
      ids.push_back(upload.id);
    }
  }
  if (ids.empty())
    return fail(ErrorCode::InvalidArgument, "nothing new to train on: {}",
                rejected.empty() ? "no image waits; send some with POST /upload-data"
                                 : fmt::format("{} images wait, but {}: {}", rejected.size(), rejected.front().path,
                                               rejected.front().reason));
  return ids;
}

Result<json::Value> retraining_payload(const Api& api, const json::Value& wishes, const Target& target,
                                       const std::vector<std::string>& ids) {
  json::Value payload{{"model", target.model}, {"files", ids}, {"margin", api.backend.retrain_margin}};
  TRY_VOID(take_number<int>(wishes, "epochs", 1, kMostEpochs, payload));
  TRY_VOID(take_number<std::int64_t>(wishes, "replay", 0, kMostReplay, payload));
  TRY_VOID(take_number<double>(wishes, "margin", 0.0, 1.0, payload));
  TRY_VOID(take_number<double>(wishes, "rate", 1e-6, 10.0, payload));
  TRY_VOID(take_number<std::int64_t>(wishes, "seed", 0, INT64_MAX, payload));
  return payload;
}

/// Text from a query or a form as the JSON it stands for.
json::Value as_number(std::string_view text) {
  double real = 0.0;
  std::int64_t integer = 0;
  const char* end = text.data() + text.size();
  if (const auto parsed = std::from_chars(text.data(), end, integer); parsed.ec == std::errc{} && parsed.ptr == end)
    return integer;
  if (const auto parsed = std::from_chars(text.data(), end, real); parsed.ec == std::errc{} && parsed.ptr == end)
    return real;
  return text;
}

/// The settings beside the images: in the query, or fields of the form.
Result<json::Value> wishes_beside(const http::Request& request) {
  json::Value wishes = json::Value::object();
  const auto take = [&](const std::string& key, std::string_view text) {
    if (key == "model") wishes[key] = text;
    for (const char* number : {"epochs", "replay", "margin", "rate", "seed"})
      if (key == number) wishes[key] = as_number(text);
  };
  for (const auto& [key, text] : request.query) take(key, text);
  const auto type = request.header("Content-Type");
  if (!type.starts_with("multipart/")) return wishes;
  TRY(const auto parts, http::parse_multipart(type, request.body));
  for (const auto& part : parts) {
    if (!part.is_file) take(part.name, part.data);
  }
  return wishes;
}

}  // namespace

Result<Submitted> submit_training(const Api& api, const json::Value& wishes, const jobs::JobRequest& request) {
  json::Value payload = json::Value::object();
  TRY(std::string dataset, json::get_or<std::string>(wishes, "dataset", ""));
  if (dataset.empty()) {
    TRY(dataset, default_dataset(api));
  }
  TRY(const auto manifest, api.backend.datasets->load(dataset));
  payload["dataset"] = manifest.name + "@" + data::version_of(manifest);
  TRY(const auto recipe, json::get_or<std::string>(wishes, "recipe", "quick"));
  if (const auto known = find_recipe(api.backend, recipe); !known)
    return fail(ErrorCode::InvalidArgument, "{}", known.error().message);  // the path is right, the body is not
  payload["recipe"] = recipe;
  TRY(const auto model, json::get_or<std::string>(wishes, "model", manifest.name));
  TRY_VOID(registry::check_model_name(model));
  payload["model"] = model;
  TRY_VOID(take_number<int>(wishes, "epochs", 1, kMostEpochs, payload));
  TRY_VOID(take_number<double>(wishes, "max_minutes", 0.0, kMostMinutes, payload));
  TRY_VOID(take_number<std::int64_t>(wishes, "seed", 0, INT64_MAX, payload));
  return submit(api, "train", payload, request);
}

Result<Submitted> submit_retraining(const Api& api, const json::Value& wishes, const jobs::JobRequest& request) {
  TRY(const auto target, target_of(api, wishes));
  auto uploads = open_uploads(api);
  std::vector<data::Refusal> rejected;
  TRY_VOID(retraining_payload(api, wishes, target, {}));  // bad numbers before anything is labelled
  const bool named = wishes.contains("files") && !wishes["files"].is_null();
  TRY(const auto ids, named ? named_uploads(uploads, wishes, target) : staged_uploads(uploads, target, rejected));
  TRY(const auto payload, retraining_payload(api, wishes, target, ids));
  TRY(auto submitted, submit(api, "retrain", payload, request));
  submitted.rejected = std::move(rejected);
  return submitted;
}

Result<Submitted> submit_retraining_with(const Api& api, const http::Request& request) {
  TRY(const auto wishes, wishes_beside(request));
  TRY(const auto target, target_of(api, wishes));
  TRY_VOID(retraining_payload(api, wishes, target, {}));
  TRY(const auto files, incoming_files(request));
  TRY(auto report, open_uploads(api).add(files, target.labels));
  std::vector<std::string> ids;
  for (const auto& upload : report.accepted) {
    if (!upload.label.empty()) ids.push_back(upload.id);
    if (upload.label.empty())
      report.rejected.push_back({upload.name, "it has no label: put it in a folder named so, or send 'label'"});
  }
  if (ids.empty())
    return fail(ErrorCode::InvalidArgument, "nothing new to train on: {}: {}", report.rejected.front().path,
                report.rejected.front().reason);
  TRY(const auto payload, retraining_payload(api, wishes, target, ids));
  TRY(auto submitted, submit(api, "retrain", payload));
  submitted.rejected = std::move(report.rejected);
  return submitted;
}

}  // namespace imago::serve
