// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"

#include "fuzz/target.hpp"

FUZZ_TARGET(multipart) {
  const auto [content_type, body] = imago::fuzz::first_line(input);
  const auto parts = imago::http::parse_multipart(content_type, body, 100);
  if (!parts) return;
  EXPECTS(parts->size() <= 100, "there are no more parts than the limit");
  for (const auto& part : *parts)
    EXPECTS(part.data.empty() ||
                (part.data.data() >= body.data() && part.data.data() + part.data.size() <= body.data() + body.size()),
            "a part lies within the body");
}
