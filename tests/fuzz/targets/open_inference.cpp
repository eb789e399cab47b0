// SPDX-License-Identifier: Apache-2.0
// An inference: the length of its JSON, a line break, JSON and tensors.
#include "fuzz/target.hpp"
#include "serve/open_inference_json.hpp"

FUZZ_TARGET(open_inference) {
  const auto [length, body] = imago::fuzz::first_line(input);
  const auto parsed = imago::serve::parse_inference(body, length);
  if (!parsed) return;
  std::size_t bytes = 0;
  for (const auto& tensor : parsed->request.inputs) {
    const auto count = imago::serve::element_count(tensor.shape);
    const auto size = std::visit([](const auto& data) { return data.size(); }, tensor.data);
    EXPECTS(count && *count == size, "a tensor has the elements of its shape");
    bytes += size;
  }
  EXPECTS(bytes <= body.size() + 1, "there are no more elements than bytes came");
  EXPECTS(parsed->binary.size() == parsed->request.outputs.size(), "every output says how it is wanted");
}
