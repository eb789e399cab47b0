// SPDX-License-Identifier: Apache-2.0
// Answers out of the bytes that a server sends.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace imago::fuzz {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  bool is_stream = false;  ///< an event stream: only its head is here

  [[nodiscard]] std::string_view header(const std::string& name) const;  ///< empty when absent
  /// The server closes the connection after it.
  [[nodiscard]] bool closes() const { return header("connection") == "close"; }
};

/// Of one connection.
class AnswerReader {
 public:
  void add(std::string_view bytes) { buffer_ += bytes; }
  [[nodiscard]] std::string_view pending() const { return buffer_; }
  /// The next whole answer, to a request of that method; none while bytes are missing. Corrupt when it is not HTTP.
  Result<std::optional<Answer>> next(std::string_view method);

 private:
  Result<bool> read_body(Answer& answer, std::size_t head_bytes);
  Result<bool> read_chunks(Answer& answer, std::size_t from);

  std::string buffer_;
};

}  // namespace imago::fuzz
