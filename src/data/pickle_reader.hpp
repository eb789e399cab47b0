// SPDX-License-Identifier: Apache-2.0
// Inside data/: the pickle machine. Its opcodes are in pickle.cpp, what stands for Python's objects in
// pickle_calls.cpp.
#pragma once

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/pickle.hpp"

namespace imago::data {

inline constexpr std::size_t kMaxPickleValues = 4'000'000;

class PickleReader {
 public:
  PickleReader(std::string_view bytes, PickleUse use) : rest_(bytes), size_(bytes.size()), use_(use) {}

  Result<Pickle> run();

 private:
  [[nodiscard]] tl::unexpected<Error> broken(std::string_view why) const {
    return fail(ErrorCode::Corrupt, "broken pickle at byte {}: {}", size_ - rest_.size(), why);
  }

  Result<std::string_view> take(std::uint64_t count) {
    if (count > rest_.size()) return broken("it ends too early");
    const auto taken = rest_.substr(0, static_cast<std::size_t>(count));
    rest_.remove_prefix(static_cast<std::size_t>(count));
    return taken;
  }
  Result<std::uint64_t> number(std::size_t bytes) {  // little-endian, unsigned
    TRY(const auto raw, take(bytes));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
    return value;
  }
  Result<std::string_view> line() {
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) return broken("a name does not end");
    TRY(const auto text, take(end + 1));
    return text.substr(0, end);
  }

  PickleValue* push(PickleValue::Kind kind, std::int64_t value = 0, std::string_view text = {}) {
    PickleValue& made = pickle_.values_.emplace_back();
    made.kind = kind;
    made.number = value;
    made.text = text;
    stack_.push_back(&made);
    return &made;
  }
  Result<PickleValue*> pop() {
    if (stack_.empty() || stack_.back()->kind == PickleValue::Kind::Mark) return broken("nothing on the stack");
    PickleValue* top = stack_.back();
    stack_.pop_back();
    return top;
  }
  /// What lies above the last mark; takes the mark too.
  Result<std::vector<PickleValue*>> pop_mark() {
    auto above = std::find_if(stack_.rbegin(), stack_.rend(),
                              [](const PickleValue* v) { return v->kind == PickleValue::Kind::Mark; });
    if (above == stack_.rend()) return broken("no mark on the stack");
    std::vector<PickleValue*> items(above.base(), stack_.end());
    stack_.erase(above.base() - 1, stack_.end());
    return items;
  }
  Result<PickleValue*> top(PickleValue::Kind kind) {
    if (stack_.empty() || stack_.back()->kind != kind) return broken("a value of another kind was expected");
    return stack_.back();
  }

  [[nodiscard]] std::string_view use_name() const;
  Result<void> step(unsigned char opcode);
  Result<void> step_rare(unsigned char opcode);
  Result<void> push_text(std::size_t length_bytes);
  Result<void> push_long();
  Result<void> push_tuple(std::size_t count);
  Result<void> push_global(std::string_view module, std::string_view name);
  Result<void> remember(std::uint64_t slot);
  Result<void> recall(std::uint64_t slot);
  Result<void> set_items(const std::vector<PickleValue*>& items);
  Result<void> append(const std::vector<PickleValue*>& items);
  Result<void> reduce();
  Result<void> reduce_numpy(const PickleValue& callee, const std::vector<PickleValue*>& given);
  Result<void> decode_latin1(std::string_view text);
  Result<void> build();
  Result<void> make_array(const PickleValue* shape, PickleValue* dtype, const PickleValue* order_or_flag,
                          const PickleValue* data, PickleValue* array);

  std::string_view rest_;
  std::size_t size_;
  PickleUse use_;
  std::size_t decoded_ = 0;  // bytes of text
  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
};

}  // namespace imago::data
