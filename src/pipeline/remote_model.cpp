// SPDX-License-Identifier: Apache-2.0
#include "pipeline/remote_model.hpp"

#include "http/client.hpp"
#include "json/json.hpp"

namespace imago::pipeline {
namespace {

/// The server's words for what went wrong, or its status alone.
std::string reason_of(const http::ClientResponse& response) {
  const auto body = json::parse(response.body);
  const std::string words = body && body->is_object() ? body->value("error", "") : "";
  return words.empty() ? fmt::format("status {}", response.status) : fmt::format("{} ({})", words, response.status);
}

Result<json::Value> object_of(const http::ClientResponse& response, const std::string& url) {
  auto body = json::parse(response.body);
  if (!body || !body->is_object())
    return fail(ErrorCode::Unsupported, "{} does not answer as an Imago server: no JSON object", url);
  return body;
}

}  // namespace

Result<RemoteModel> RemoteModel::connect(std::string url, std::string api_key) {
  while (url.ends_with('/')) url.pop_back();
  RemoteModel remote;
  remote.url_ = std::move(url);
  remote.api_key_ = std::move(api_key);
  TRY(const auto response, http::fetch({.method = "GET", .url = remote.url_ + "/status"}));
  if (response.status != 200) return fail(ErrorCode::Unavailable, "{}/status: {}", remote.url_, reason_of(response));
  TRY(const auto status, object_of(response, remote.url_));
  if (!status.contains("model"))
    return fail(ErrorCode::Unsupported, "{} does not answer as an Imago server: no 'model' in /status", remote.url_);
  if (status["model"].is_null())
    return fail(ErrorCode::Unavailable, "{} has no model ready: {}", remote.url_, status.value("reason", "no reason"));
  TRY(remote.model_, json::get<std::string>(status["model"], "name"));
  TRY(remote.version_, json::get<int>(status["model"], "version"));
  TRY(remote.digest_, json::get<std::string>(status["model"], "digest"));
  TRY(remote.labels_, json::get<std::vector<std::string>>(status["model"], "labels"));
  remote.name_ = fmt::format("{}:{}", remote.model_, remote.version_);
  return remote;
}

Result<RemoteModel::Answer> RemoteModel::classify(std::string_view encoded) {
  http::ClientRequest request{.method = "POST",
                              .url = url_ + "/predict?fields=probabilities,model,model_version,abstained_because",
                              .headers = {{"Content-Type", "application/octet-stream"}},
                              .body = std::string(encoded)};
  if (!api_key_.empty()) request.headers["X-API-Key"] = api_key_;
  TRY(const auto response, http::fetch(request));
  if (response.status != 200) return fail(ErrorCode::Unavailable, "{}/predict: {}", url_, reason_of(response));
  TRY(const auto answer, object_of(response, url_));
  TRY(const auto model, json::get<std::string>(answer, "model"));
  TRY(const auto version, json::get<int>(answer, "model_version"));
  if (model != model_ || version != version_)
    return fail(ErrorCode::Unavailable,
                "{} was answering with {}, and now with {}:{}: measure again when it is settled", url_, name_, model,
                version);
  TRY(auto probabilities, json::get<std::vector<double>>(answer, "probabilities"));
  if (probabilities.size() != labels_.size())
    return fail(ErrorCode::Unsupported, "{} gave {} probabilities for {} classes", url_, probabilities.size(),
                labels_.size());
  TRY(const auto because, json::get_or<std::string>(answer, "abstained_because", "none"));
  TRY(const auto doubt, model::doubt_from(because));
  return Answer{std::move(probabilities), doubt};
}

}  // namespace imago::pipeline
