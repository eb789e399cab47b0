// SPDX-License-Identifier: Apache-2.0
// What a server may answer, by its own OpenAPI document.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/requests/answer.hpp"
#include "fuzz/requests/maker.hpp"
#include "json/json.hpp"

namespace imago::fuzz {

class Judge {
 public:
  static Result<Judge> open(const json::Value& openapi);

  /// What is wrong with it; empty when nothing is. A version's first answer to a probe says what its others must say.
  std::string fault_of(const Attempt& attempt, const Answer& answer);
  /// The same for bytes that may be no HTTP, of which the server sent back `received` before it closed.
  [[nodiscard]] std::string fault_of_broken(std::string_view received) const;

 private:
  using Statuses = std::set<int>;
  struct Operation {
    std::string method;
    std::vector<std::string> segments;
    Statuses statuses;
  };
  [[nodiscard]] const Operation* find(std::string_view method, std::string_view path) const;
  std::string fault_of_probe(const Answer& answer);

  std::vector<Operation> operations_;
  Statuses all_;
  std::map<std::string, std::vector<double>> probabilities_;  // of the first probe, by the version that answered
};

}  // namespace imago::fuzz
