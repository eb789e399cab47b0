// SPDX-License-Identifier: Apache-2.0
// Where Python would look up a name, call it, or give an object its state.
#include <array>
#include <span>

#include "data/pickle_reader.hpp"

namespace imago::data {

using Kind = PickleValue::Kind;

namespace {

/// Python names that may appear. Nothing is looked up or called by name.
constexpr std::array<std::string_view, 8> kImageNames{"numpy.core.multiarray _reconstruct",
                                                      "numpy._core.multiarray _reconstruct",
                                                      "numpy.core.numeric _frombuffer",
                                                      "numpy._core.numeric _frombuffer",
                                                      "numpy ndarray",
                                                      "numpy dtype",
                                                      "_codecs encode",
                                                      "builtins bytes"};
constexpr std::array<std::string_view, 15> kWeightNames{"collections OrderedDict",
                                                        "torch._utils _rebuild_tensor_v2",
                                                        "torch._utils _rebuild_parameter",
                                                        "torch Size",
                                                        "torch device",
                                                        "torch FloatStorage",
                                                        "torch HalfStorage",
                                                        "torch BFloat16Storage",
                                                        "torch DoubleStorage",
                                                        "torch LongStorage",
                                                        "torch IntStorage",
                                                        "torch ShortStorage",
                                                        "torch CharStorage",
                                                        "torch ByteStorage",
                                                        "torch BoolStorage"};
constexpr std::size_t kMaxRank = 32;  // NumPy's own before 2.0

std::span<const std::string_view> names_for(PickleUse use) {
  if (use == PickleUse::Images) return kImageNames;
  return kWeightNames;
}

}  // namespace

std::string_view PickleReader::use_name() const {
  return use_ == PickleUse::Images ? "image data" : "a file of weights";
}

Result<void> PickleReader::push_global(std::string_view module, std::string_view name) {
  const auto full = fmt::format("{} {}", module, name);
  const auto names = names_for(use_);
  const auto known = std::find(names.begin(), names.end(), full);
  if (known == names.end())
    return fail(ErrorCode::Unsupported, "pickle asks for Python's '{}.{}', which {} has no need of: not read", module,
                name, use_name());
  push(Kind::Global, 0, *known);
  return {};
}

/// Where Python would call a function: the few there are, each worked out here.
Result<void> PickleReader::reduce() {
  TRY(auto* arguments, pop());
  TRY(const auto* callee, pop());
  if (callee->kind != Kind::Global || arguments->kind != Kind::Tuple) return broken("a call of no function");
  if (use_ == PickleUse::Images) return reduce_numpy(*callee, arguments->items);
  if (callee->text == "collections OrderedDict") {
    if (!arguments->items.empty()) return broken("an OrderedDict that is made of something");
    push(Kind::Dict);
    return {};
  }
  // The tuple itself, not a copy: one tuple may be the arguments of a million calls.
  push(Kind::Call, 0, callee->text)->items = {arguments};
  return {};
}

Result<void> PickleReader::reduce_numpy(const PickleValue& callee, const std::vector<PickleValue*>& given) {
  if (callee.text.ends_with(" _reconstruct")) {
    push(Kind::Array);
    return {};
  }
  if (callee.text == "numpy dtype" && !given.empty()) {
    push(Kind::Dtype, 0, given[0]->text);
    return {};
  }
  if (callee.text.ends_with(" _frombuffer") && given.size() == 4)
    return make_array(given[2], given[1], given[3], given[0], push(Kind::Array));
  if (callee.text == "builtins bytes" && given.empty()) {
    push(Kind::Text);
    return {};
  }
  if (callee.text == "_codecs encode" && given.size() == 2 && given[1]->text == "latin1")
    return decode_latin1(given[0]->text);
  return fail(ErrorCode::Unsupported, "pickle calls '{}' in a way that we do not read", callee.text);
}

/// How protocol 2 writes Python 3's bytes: as the text of code points below 256.
Result<void> PickleReader::decode_latin1(std::string_view text) {
  std::string& decoded = pickle_.texts_.emplace_back();
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
  if (stack_.empty()) return broken("a state without an object");
  PickleValue* object = stack_.back();
  // A state dict's is `_metadata`: the versions of the modules that wrote it.
  if (use_ == PickleUse::Weights && object->kind == Kind::Dict && state->kind == Kind::Dict) return {};
  if (state->kind != Kind::Tuple) return broken("a state of an unknown form");
  if (object->kind == Kind::Dtype) return {};  // its state is the byte order, of which single bytes have none
  if (object->kind != Kind::Array || state->items.size() != 5) return broken("a state of something else than an array");
  return make_array(state->items[1], state->items[2], state->items[3], state->items[4], object);
}

Result<void> PickleReader::make_array(const PickleValue* shape, PickleValue* dtype, const PickleValue* order_or_flag,
                                      const PickleValue* data, PickleValue* array) {
  if (shape->kind != Kind::Tuple || dtype->kind != Kind::Dtype || data->kind != Kind::Text)
    return broken("an array of an unknown form");
  if (shape->items.size() > kMaxRank) return broken("an array of too many dimensions");
  array->items = shape->items;
  array->dtype = dtype;
  array->text = data->text;
  array->column_major = order_or_flag->text == "F" || order_or_flag->number == 1;
  return {};
}

}  // namespace imago::data
