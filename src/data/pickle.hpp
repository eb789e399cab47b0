// SPDX-License-Identifier: Apache-2.0
// Inside data/: Python pickles of plain values and numpy byte arrays, read without running anything. Of the pickle
// machine (Python, Lib/pickletools.py) only what CIFAR-10's files use is here, in the protocols 2 to 5; whatever else a
// file asks for is refused.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace imago::data {

struct PickleValue {
  enum class Kind { Mark, None, Bool, Int, Text, List, Tuple, Dict, Global, Dtype, Array };
  Kind kind = Kind::None;
  std::int64_t number = 0;  ///< Bool, Int
  std::string_view text;    ///< Text (str and bytes alike), Global ("module name"), Dtype ("u1"), Array (its elements)
  std::vector<PickleValue*> items;                             ///< List, Tuple; shape of an Array
  std::vector<std::pair<PickleValue*, PickleValue*>> members;  ///< Dict
  PickleValue* dtype = nullptr;                                ///< Array
  bool column_major = false;                                   ///< Array

  /// The member of a Dict by name, or null.
  [[nodiscard]] const PickleValue* find(std::string_view key) const;
};

class Pickle {
 public:
  /// The values point into `bytes`, which must outlive them. Corrupt when it is broken; Unsupported, naming it, for an
  /// opcode or a Python name that we do not read.
  static Result<Pickle> read(std::string_view bytes);

  [[nodiscard]] const PickleValue& root() const { return *root_; }

 private:
  friend class PickleReader;
  std::deque<PickleValue> values_;  // owns them all: lists may contain themselves
  std::deque<std::string> texts_;
  PickleValue* root_ = nullptr;
};

}  // namespace imago::data
