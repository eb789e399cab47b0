// SPDX-License-Identifier: Apache-2.0
// Python pickles of plain values, numpy's byte arrays and PyTorch's state dicts, read without running anything. Of the
// pickle machine (Python, Lib/pickletools.py) only what those use is here, in the protocols 2 to 5; whatever else a
// file asks for is refused by name.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace imago::data {

/// Which Python names a file may mention.
enum class PickleUse {
  Images,  ///< numpy's: CIFAR's batches
  Weights  ///< PyTorch's: what torch.save writes of a state dict. A call of theirs becomes a Call, nothing more.
};

struct PickleValue {
  /// Other: a value of no use here, such as a float.
  enum class Kind { Mark, None, Bool, Int, Text, List, Tuple, Dict, Global, Dtype, Array, Persistent, Call, Other };
  Kind kind = Kind::None;
  std::int64_t number = 0;  ///< Bool, Int
  std::string_view
      text;  ///< Text (str and bytes alike), Global and Call ("module name"), Dtype ("u1"), Array (its elements)
  std::vector<PickleValue*>
      items;  ///< List, Tuple; shape of an Array; the id of a Persistent; arguments of a Call, a Tuple
  std::vector<std::pair<PickleValue*, PickleValue*>> members;  ///< Dict
  PickleValue* dtype = nullptr;                                ///< Array
  bool column_major = false;                                   ///< Array

  /// The member of a Dict by name, or null.
  [[nodiscard]] const PickleValue* find(std::string_view key) const;
};

class Pickle {
 public:
  /// Reads to the pickle's own end, whatever follows. The values point into `bytes`, which must outlive them. Corrupt
  /// when it is broken; Unsupported, naming it, for an opcode or a Python name that we do not read.
  static Result<Pickle> read(std::string_view bytes, PickleUse use = PickleUse::Images);

  [[nodiscard]] const PickleValue& root() const { return *root_; }
  /// All that was read, in no order.
  [[nodiscard]] const std::deque<PickleValue>& values() const { return values_; }
  [[nodiscard]] std::size_t size() const { return size_; }  ///< in bytes

 private:
  friend class PickleReader;
  std::deque<PickleValue> values_;  // owns them all: lists may contain themselves
  std::deque<std::string> texts_;
  PickleValue* root_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace imago::data
