// SPDX-License-Identifier: Apache-2.0
// A model that a server answers for: `imago serve`, here or far away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/abstention.hpp"

namespace imago::pipeline {

/// One request an image, as clients send them: what is measured is all that lies between a file and its answer. Safe
/// from one thread at a time.
class RemoteModel {
 public:
  /// Asks GET /status what is served there. @param url "http://127.0.0.1:8000". @param api_key empty: none is sent.
  /// Unavailable when nobody answers, or no model is ready; Unsupported when what answers is no Imago.
  static Result<RemoteModel> connect(std::string url, std::string api_key);

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] const std::string& name() const { return name_; }  ///< NAME:VERSION
  [[nodiscard]] const std::string& digest() const { return digest_; }
  [[nodiscard]] const std::vector<std::string>& labels() const { return labels_; }

  struct Answer {
    std::vector<double> probabilities;        ///< of each class, in the order of labels()
    model::Doubt doubt = model::Doubt::None;  ///< why it abstained, where it did
  };
  /// @param encoded an image file's bytes. Unavailable, with the server's own words, for any status but 200, and when
  /// another version answers than was there at first.
  Result<Answer> classify(std::string_view encoded);

 private:
  RemoteModel() = default;

  std::string url_, api_key_;
  std::string name_, digest_;
  std::string model_;
  int version_ = 0;
  std::vector<std::string> labels_;
};

}  // namespace imago::pipeline
