// SPDX-License-Identifier: Apache-2.0
// What the server itself counted meanwhile, from its Prometheus text.
#pragma once

#include <string>
#include <string_view>

#include "json/json.hpp"

namespace imago::load {

struct ServerView {
  double images = 0.0;       ///< computed
  double batch_sizes = 0.0;  ///< sum over the images of the batch each was in
  double decode = 0.0, preprocess = 0.0, queue = 0.0, infer = 0.0, total = 0.0;  ///< seconds, summed over the images
  double rejected = 0.0;
  double cpu_seconds = 0.0;

  [[nodiscard]] double mean_batch() const { return images > 0.0 ? batch_sizes / images : 0.0; }
  /// Milliseconds an image.
  [[nodiscard]] double mean_ms(double ServerView::*stage) const {
    return images > 0.0 ? 1000.0 * this->*stage / images : 0.0;
  }
};

/// Over all models and versions; series that are not there count as 0.
ServerView read_prometheus(std::string_view text);
/// What was counted between the two.
ServerView difference(const ServerView& later, const ServerView& earlier);

json::Value to_json(const ServerView& view);
/// One line: batches, and where the time went.
std::string in_words(const ServerView& view);

/// What to change at the server, in one or two sentences.
std::string advice_for_server(const ServerView& view);

}  // namespace imago::load
