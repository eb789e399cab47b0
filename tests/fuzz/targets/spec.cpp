// SPDX-License-Identifier: Apache-2.0
// spec.json of a package, and the graph in it.
#include "model/spec.hpp"

#include "fuzz/target.hpp"

FUZZ_TARGET(spec) {
  const auto value = imago::json::parse(input);
  if (!value) return;
  if (const auto graph = imago::model::graph_from_json(*value)) {
    static_cast<void>(imago::model::weight_shapes(*graph));
    EXPECTS(imago::model::graph_from_json(to_json(*graph)).has_value(), "what was read can be written and read again");
  }
  if (const auto spec = imago::model::spec_from_json(*value))
    EXPECTS(imago::model::spec_from_json(to_json(*spec)).has_value(), "what was read can be written and read again");
}
