// SPDX-License-Identifier: Apache-2.0
#include "data/pickle.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <unordered_map>

namespace imago::data {

using Kind = PickleValue::Kind;

namespace {

constexpr std::size_t kMaxValues = 4'000'000;

/// Python names that may appear, and the kind of thing each makes. Nothing is looked up or called by name.
constexpr std::array<std::string_view, 8> kKnownGlobals{"numpy.core.multiarray _reconstruct",
                                                        "numpy._core.multiarray _reconstruct",
                                                        "numpy.core.numeric _frombuffer",
                                                        "numpy._core.numeric _frombuffer",
                                                        "numpy ndarray",
                                                        "numpy dtype",
                                                        "_codecs encode",
                                                        "builtins bytes"};

}  // namespace

const PickleValue* PickleValue::find(std::string_view key) const {
  for (const auto& [name, value] : members)
    if (name->kind == Kind::Text && name->text == key) return value;
  return nullptr;
}

class PickleReader {
 public:
  explicit PickleReader(std::string_view bytes) : rest_(bytes), size_(bytes.size()) {}

  Result<Pickle> run() {
    for (;;) {
      TRY(const auto opcode, take(1));
      if (opcode[0] == '.') break;
      TRY_VOID(step(static_cast<unsigned char>(opcode[0])));
      if (pickle_.values_.size() > kMaxValues)
        return fail(ErrorCode::Corrupt, "pickle of more than {} values", kMaxValues);
    }
    if (stack_.size() != 1 || stack_[0]->kind == Kind::Mark) return broken("ends with a stack of other than one value");
    pickle_.root_ = stack_[0];
    return std::move(pickle_);
  }

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

  PickleValue* push(Kind kind, std::int64_t value = 0, std::string_view text = {}) {
    PickleValue& made = pickle_.values_.emplace_back();
    made.kind = kind;
    made.number = value;
    made.text = text;
    stack_.push_back(&made);
    return &made;
  }
  Result<PickleValue*> pop() {
    if (stack_.empty() || stack_.back()->kind == Kind::Mark) return broken("nothing on the stack");
    PickleValue* top = stack_.back();
    stack_.pop_back();
    return top;
  }
  /// What lies above the last mark; takes the mark too.
  Result<std::vector<PickleValue*>> pop_mark() {
    auto above =
        std::find_if(stack_.rbegin(), stack_.rend(), [](const PickleValue* v) { return v->kind == Kind::Mark; });
    if (above == stack_.rend()) return broken("no mark on the stack");
    std::vector<PickleValue*> items(above.base(), stack_.end());
    stack_.erase(above.base() - 1, stack_.end());
    return items;
  }
  Result<PickleValue*> top(Kind kind) {
    if (stack_.empty() || stack_.back()->kind != kind) return broken("a value of another kind was expected");
    return stack_.back();
  }

  Result<void> step(unsigned char opcode);
  Result<void> step_rare(unsigned char opcode);
  Result<void> push_text(std::size_t length_bytes);
  Result<void> push_tuple(std::size_t count);
  Result<void> push_global(std::string_view module, std::string_view name);
  Result<void> remember(std::uint64_t slot);
  Result<void> recall(std::uint64_t slot);
  Result<void> set_items(const std::vector<PickleValue*>& items);
  Result<void> append(const std::vector<PickleValue*>& items);
  Result<void> reduce();
  Result<void> build();
  Result<void> make_array(const PickleValue* shape, PickleValue* dtype, const PickleValue* order_or_flag,
                          const PickleValue* data, PickleValue* array);

  std::string_view rest_;
  std::size_t size_;
  std::size_t decoded_ = 0;  // bytes of text
  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
};

Result<void> PickleReader::step(unsigned char opcode) {
  switch (opcode) {
    case 'K': {  // BININT1
      TRY(const auto value, number(1));
      push(Kind::Int, static_cast<std::int64_t>(value));
      return {};
    }
    case 'M': {  // BININT2
      TRY(const auto value, number(2));
      push(Kind::Int, static_cast<std::int64_t>(value));
      return {};
    }
    case 'J': {  // BININT
      TRY(const auto value, number(4));
      push(Kind::Int, static_cast<std::int32_t>(static_cast<std::uint32_t>(value)));
      return {};
    }
    case 'U':                                                                        // SHORT_BINSTRING
    case 'C':                                                                        // SHORT_BINBYTES
    case 0x8C: return push_text(1);                                                  // SHORT_BINUNICODE
    case 'T':                                                                        // BINSTRING
    case 'B':                                                                        // BINBYTES
    case 'X': return push_text(4);                                                   // BINUNICODE
    case 0x8D:                                                                       // BINUNICODE8
    case 0x8E:                                                                       // BINBYTES8
    case 0x96: return push_text(8);                                                  // BYTEARRAY8
    case '(': push(Kind::Mark); return {};                                           // MARK
    case '}': push(Kind::Dict); return {};                                           // EMPTY_DICT
    case ']': push(Kind::List); return {};                                           // EMPTY_LIST
    case ')': push(Kind::Tuple); return {};                                          // EMPTY_TUPLE
    case 'N': push(Kind::None); return {};                                           // NONE
    case 0x88: push(Kind::Bool, 1); return {};                                       // NEWTRUE
    case 0x89: push(Kind::Bool, 0); return {};                                       // NEWFALSE
    case 0x85: return push_tuple(1);                                                 // TUPLE1
    case 0x86: return push_tuple(2);                                                 // TUPLE2
    case 0x87: return push_tuple(3);                                                 // TUPLE3
    case 0x94: return remember(memo_.size());                                        // MEMOIZE
    case 'q': return number(1).and_then([&](auto slot) { return remember(slot); });  // BINPUT
    case 'r': return number(4).and_then([&](auto slot) { return remember(slot); });  // LONG_BINPUT
    case 'h': return number(1).and_then([&](auto slot) { return recall(slot); });    // BINGET
    case 'j': return number(4).and_then([&](auto slot) { return recall(slot); });    // LONG_BINGET
    default: return step_rare(opcode);
  }
}

Result<void> PickleReader::step_rare(unsigned char opcode) {
  switch (opcode) {
    case 0x80: {  // PROTO
      TRY(const auto protocol, number(1));
      if (protocol < 2 || protocol > 5)
        return fail(ErrorCode::Unsupported, "pickle protocol {}, but we read 2 to 5", protocol);
      return {};
    }
    case 0x95: return number(8).and_then([](auto) { return Result<void>(); });  // FRAME: a hint for readers of streams
    case 't': {                                                                 // TUPLE
      TRY(auto items, pop_mark());
      push(Kind::Tuple)->items = std::move(items);
      return {};
    }
    case 'a': {  // APPEND
      TRY(auto* item, pop());
      return append({item});
    }
    case 'e': return pop_mark().and_then([&](const auto& items) { return append(items); });  // APPENDS
    case 's': {                                                                              // SETITEM
      TRY(auto* value, pop());
      TRY(auto* key, pop());
      return set_items({key, value});
    }
    case 'u': return pop_mark().and_then([&](const auto& items) { return set_items(items); });  // SETITEMS
    case 'c': {                                                                                 // GLOBAL
      TRY(const auto module, line());
      TRY(const auto name, line());
      return push_global(module, name);
    }
    case 0x93: {  // STACK_GLOBAL
      TRY(const auto* name, pop());
      TRY(const auto* module, pop());
      return push_global(module->text, name->text);
    }
    case 'R': return reduce();
    case 'b': return build();
    default:
      return fail(ErrorCode::Unsupported, "pickle opcode {:#04x}, which image data has no need of: not read", opcode);
  }
}

Result<void> PickleReader::push_text(std::size_t length_bytes) {
  TRY(const auto length, number(length_bytes));
  TRY(const auto text, take(length));
  push(Kind::Text, 0, text);
  return {};
}

Result<void> PickleReader::push_tuple(std::size_t count) {
  std::vector<PickleValue*> items(count);
  for (std::size_t i = count; i-- > 0;) {
    TRY(items[i], pop());
  }
  push(Kind::Tuple)->items = std::move(items);
  return {};
}

Result<void> PickleReader::push_global(std::string_view module, std::string_view name) {
  const auto full = fmt::format("{} {}", module, name);
  const auto known = std::find(kKnownGlobals.begin(), kKnownGlobals.end(), full);
  if (known == kKnownGlobals.end())
    return fail(ErrorCode::Unsupported, "pickle asks for Python's '{}.{}', which image data has no need of: not read",
                module, name);
  push(Kind::Global, 0, *known);
  return {};
}

Result<void> PickleReader::remember(std::uint64_t slot) {
  if (stack_.empty() || stack_.back()->kind == Kind::Mark) return broken("nothing to remember");
  memo_[slot] = stack_.back();
  if (memo_.size() > kMaxValues) return broken("it remembers too much");
  return {};
}

Result<void> PickleReader::recall(std::uint64_t slot) {
  const auto found = memo_.find(slot);
  if (found == memo_.end()) return broken("it recalls what was never remembered");
  if (stack_.size() > kMaxValues) return broken("its stack is too deep");
  stack_.push_back(found->second);
  return {};
}

Result<void> PickleReader::append(const std::vector<PickleValue*>& items) {
  TRY(auto* list, top(Kind::List));
  list->items.insert(list->items.end(), items.begin(), items.end());
  return {};
}

Result<void> PickleReader::set_items(const std::vector<PickleValue*>& items) {
  TRY(auto* dict, top(Kind::Dict));
  if (items.size() % 2 != 0) return broken("a key without a value");
  for (std::size_t i = 0; i < items.size(); i += 2) dict->members.emplace_back(items[i], items[i + 1]);
  return {};
}

/// Where Python would call a function: the few there are, each worked out here.
Result<void> PickleReader::reduce() {
  TRY(const auto* arguments, pop());
  TRY(const auto* callee, pop());
  if (callee->kind != Kind::Global || arguments->kind != Kind::Tuple) return broken("a call of no function");
  const auto& given = arguments->items;
  if (callee->text.ends_with(" _reconstruct")) {
    push(Kind::Array);
    return {};
  }
  if (callee->text == "numpy dtype" && !given.empty()) {
    push(Kind::Dtype, 0, given[0]->text);
    return {};
  }
  if (callee->text.ends_with(" _frombuffer") && given.size() == 4)
    return make_array(given[2], given[1], given[3], given[0], push(Kind::Array));
  if (callee->text == "builtins bytes" && given.empty()) {
    push(Kind::Text);
    return {};
  }
  if (callee->text != "_codecs encode" || given.size() != 2 || given[1]->text != "latin1")
    return fail(ErrorCode::Unsupported, "pickle calls '{}' in a way that we do not read", callee->text);
  // How protocol 2 writes Python 3's bytes: as the text of code points below 256.
  std::string& decoded = pickle_.texts_.emplace_back();
  const auto text = given[0]->text;
  decoded_ += text.size();
  if (decoded_ > size_) return broken("it decodes one text again and again");
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      decoded += text[i];
    } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < text.size()) {
      decoded += static_cast<char>((lead & 3U) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    } else {
      return broken("bytes beyond Latin-1");
    }
  }
  push(Kind::Text, 0, decoded);
  return {};
}

Result<void> PickleReader::build() {
  TRY(auto* state, pop());
  if (stack_.empty() || state->kind != Kind::Tuple) return broken("a state without an object");
  PickleValue* object = stack_.back();
  if (object->kind == Kind::Dtype) return {};  // its state is the byte order, of which single bytes have none
  if (object->kind != Kind::Array || state->items.size() != 5) return broken("a state of something else than an array");
  return make_array(state->items[1], state->items[2], state->items[3], state->items[4], object);
}

Result<void> PickleReader::make_array(const PickleValue* shape, PickleValue* dtype, const PickleValue* order_or_flag,
                                      const PickleValue* data, PickleValue* array) {
  if (shape->kind != Kind::Tuple || dtype->kind != Kind::Dtype || data->kind != Kind::Text)
    return broken("an array of an unknown form");
  array->items = shape->items;
  array->dtype = dtype;
  array->text = data->text;
  array->column_major = order_or_flag->text == "F" || order_or_flag->number == 1;
  return {};
}

Result<Pickle> Pickle::read(std::string_view bytes) { return PickleReader(bytes).run(); }

}  // namespace imago::data
