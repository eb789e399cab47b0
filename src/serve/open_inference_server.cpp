// SPDX-License-Identifier: Apache-2.0
#include "serve/open_inference_server.hpp"

#include "serve/parameters.hpp"

namespace imago::serve {

std::vector<std::string_view> server_extensions(const OpenInferenceServer& server) {
  std::vector<std::string_view> extensions{"classification", "statistics"};
  if (server.hosting != nullptr) extensions.emplace_back("model_repository");
  return extensions;
}

Result<std::vector<RepositoryRow>> repository_rows(const Hosting& hosting, bool ready_only) {
  TRY(const auto states, hosting.repository());
  std::vector<RepositoryRow> rows;
  for (const auto& state : states) {
    const bool ready = state.state == "ready";
    if (ready_only && !ready) continue;
    RepositoryRow row{.name = state.name, .version = std::to_string(state.version), .state = "READY", .reason = {}};
    if (!ready) {
      row.state = state.state == "loading" ? "LOADING" : "UNAVAILABLE";
      row.reason = state.reason.empty() ? state.state : state.reason;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::optional<int>> version_to_change(const json::Value& parameters) {
  std::optional<int> version;
  for (const auto& [key, value] : parameters.items()) {
    if (key == "config" || key.starts_with("file:"))
      return fail(ErrorCode::Unsupported, "parameter '{}' is not taken: models are loaded as they were registered",
                  key.substr(0, 64));
    if (key != "version") continue;
    TRY(version, version_number(value.is_string() ? value.get<std::string>() : json::dump(value)));
  }
  return version;
}

}  // namespace imago::serve
