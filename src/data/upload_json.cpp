// SPDX-License-Identifier: Apache-2.0
#include "data/upload_json.hpp"

namespace imago::data {

json::Value to_json(const Upload& upload) {
  return {{"id", upload.id},
          {"name", upload.name},
          {"label", upload.label.empty() ? json::Value() : json::Value(upload.label)},
          {"bytes", upload.bytes},
          {"width", upload.width},
          {"height", upload.height},
          {"created", upload.created}};
}

json::Value to_json(const std::vector<Upload>& uploads) {
  auto list = json::Value::array();
  for (const auto& upload : uploads) list.push_back(to_json(upload));
  return list;
}

json::Value to_json(const std::vector<Refusal>& rejected) {
  auto list = json::Value::array();
  for (const auto& [path, reason] : rejected) list.push_back({{"file", path}, {"reason", reason}});
  return list;
}

json::Value to_json(const std::vector<AliasUse>& aliases) {
  auto list = json::Value::array();
  for (const auto& use : aliases) list.push_back({{"given", use.given}, {"label", use.label}, {"files", use.files}});
  return list;
}

}  // namespace imago::data
