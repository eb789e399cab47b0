// SPDX-License-Identifier: Apache-2.0
// The first line is the request's Content-Type.
#include "serve/predict_input.hpp"

#include "fuzz/target.hpp"

FUZZ_TARGET(predict_input) {
  const auto [content_type, body] = imago::fuzz::first_line(input);
  imago::http::Request request;
  request.method = "POST";
  request.headers.emplace("Content-Type", content_type);
  request.body = body;
  const auto found = imago::serve::find_image(request, {.width = 2, .height = 2});
  if (!found) EXPECTS(found.error().status >= 400 && found.error().status < 500, "the client is told that it erred");
}
