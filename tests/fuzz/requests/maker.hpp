// SPDX-License-Identifier: Apache-2.0
// Requests out of seeds: as they are, odd in one place or another, or no requests at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "fuzz/requests/memory.hpp"
#include "fuzz/requests/message.hpp"

namespace imago::fuzz {

enum class Kind {
  Probe,    ///< the same image every time, whose answer is known
  Sound,    ///< a seed as it is
  Odd,      ///< HTTP, but something in it is not as it should be
  Broken,   ///< bytes that may be no HTTP
  Aborted,  ///< a client that goes away in the middle
};
inline constexpr int kKinds = 5;
std::string_view to_string(Kind kind) noexcept;
/// Odd ones included, it is HTTP: there must be an answer.
constexpr bool is_http(Kind kind) noexcept { return kind < Kind::Broken; }

struct Attempt {
  Kind kind = Kind::Sound;
  std::string method;
  std::string path;           ///< without the query; empty when it was changed, so that nobody knows what it asks for
  std::string id;             ///< X-Request-ID, which the answer must have; empty when that was changed
  bool has_deadline = false;  ///< a 504 is an answer
  bool is_last = false;       ///< the connection may end after it
  std::string wire;
};

class Maker {
 public:
  /// Reads the folders `often` and `rare` of `seeds`, and the file `probe`.
  static Result<Maker> open(const std::filesystem::path& seeds, std::uint64_t seed);

  /// The same for the same number and memory.
  Attempt make(Kind kind, std::uint64_t number, const Memory& memory) const;

 private:
  const Message& choose(Rng& rng) const;
  void distort(Message& message, Attempt& attempt, Rng& rng) const;

  std::uint64_t seed_ = 0;
  Message probe_;
  std::vector<Message> often_, rare_;
};

}  // namespace imago::fuzz
