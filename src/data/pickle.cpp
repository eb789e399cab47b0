// SPDX-License-Identifier: Apache-2.0
#include "data/pickle.hpp"

#include "data/pickle_reader.hpp"

namespace imago::data {

using Kind = PickleValue::Kind;

const PickleValue* PickleValue::find(std::string_view key) const {
  for (const auto& [name, value] : members)
    if (name->kind == Kind::Text && name->text == key) return value;
  return nullptr;
}

Result<Pickle> PickleReader::run() {
  for (;;) {
    TRY(const auto opcode, take(1));
    if (opcode[0] == '.') break;
    TRY_VOID(step(static_cast<unsigned char>(opcode[0])));
    if (pickle_.values_.size() > kMaxPickleValues)
      return fail(ErrorCode::Corrupt, "pickle of more than {} values", kMaxPickleValues);
  }
  if (stack_.size() != 1 || stack_[0]->kind == Kind::Mark) return broken("ends with a stack of other than one value");
  pickle_.root_ = stack_[0];
  pickle_.size_ = size_ - rest_.size();
  return std::move(pickle_);
}

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
    case 'Q': {  // BINPERSID
      TRY(auto* id, pop());
      push(Kind::Persistent)->items = {id};
      return {};
    }
    case 'G': {  // BINFLOAT
      TRY_VOID(take(8));
      push(Kind::Other);
      return {};
    }
    case 0x8A: return push_long();  // LONG1
    case 'R': return reduce();
    case 'b': return build();
    default:
      return fail(ErrorCode::Unsupported, "pickle opcode {:#04x}, which {} has no need of: not read", opcode,
                  use_name());
  }
}

Result<void> PickleReader::push_text(std::size_t length_bytes) {
  TRY(const auto length, number(length_bytes));
  TRY(const auto text, take(length));
  push(Kind::Text, 0, text);
  return {};
}

Result<void> PickleReader::push_long() {
  TRY(const auto bytes, number(1));
  if (bytes > sizeof(std::uint64_t)) {
    TRY_VOID(take(bytes));
    push(Kind::Other);
    return {};
  }
  TRY(auto value, number(static_cast<std::size_t>(bytes)));
  const bool negative = bytes > 0 && bytes < sizeof value && (value >> (8 * bytes - 1) & 1U) != 0;
  if (negative) value |= ~std::uint64_t{0} << (8 * bytes);
  push(Kind::Int, static_cast<std::int64_t>(value));
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

Result<void> PickleReader::remember(std::uint64_t slot) {
  if (stack_.empty() || stack_.back()->kind == Kind::Mark) return broken("nothing to remember");
  memo_[slot] = stack_.back();
  if (memo_.size() > kMaxPickleValues) return broken("it remembers too much");
  return {};
}

Result<void> PickleReader::recall(std::uint64_t slot) {
  const auto found = memo_.find(slot);
  if (found == memo_.end()) return broken("it recalls what was never remembered");
  if (stack_.size() > kMaxPickleValues) return broken("its stack is too deep");
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

Result<Pickle> Pickle::read(std::string_view bytes, PickleUse use) { return PickleReader(bytes, use).run(); }

}  // namespace imago::data
