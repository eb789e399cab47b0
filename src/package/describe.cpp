// SPDX-License-Identifier: Apache-2.0
#include "package/describe.hpp"

#include "image/preprocess.hpp"

namespace imago::package {

Result<json::Value> describe(const ModelPackage& package) {
  const model::ModelSpec& spec = package.spec;
  TRY(const auto summaries, model::summarize(spec.graph));
  json::Value layers = json::Value::array();
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const auto& node = spec.graph.nodes[i];
    parameters += summaries[i].parameters;
    macs += summaries[i].macs;
    layers.push_back({{"name", node.name},
                      {"kind", model::layer_name(node.layer)},
                      {"output", summaries[i].output},
                      {"parameters", summaries[i].parameters},
                      {"macs", summaries[i].macs}});
  }
  const auto& input = spec.graph.input;
  return json::Value{{"architecture", spec.graph.architecture},
                     {"parameters", parameters},
                     {"macs", macs},
                     {"labels", spec.labels},
                     {"aliases_of_labels", spec.aliases},
                     {"input", {{"width", input.width}, {"height", input.height}, {"channels", input.channels}}},
                     {"preprocess", image::to_json(spec.preprocess)},
                     {"temperature", spec.temperature},
                     {"views", to_string(spec.views)},
                     {"layers", std::move(layers)},
                     {"report", package.report},
                     {"lineage", package.lineage}};
}

}  // namespace imago::package
