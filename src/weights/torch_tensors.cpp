// SPDX-License-Identifier: Apache-2.0
#include "weights/torch_tensors.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "data/pickle.hpp"
#include "model/number_types.hpp"

namespace imago::weights {
namespace {

using data::PickleValue;
using Kind = PickleValue::Kind;

constexpr std::size_t kMaxRank = 8;
constexpr std::uint64_t kNumbersPerByte = 2;  // eight tensors of float32 may share a storage, on average
constexpr std::size_t kMembersShown = 5;

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kStorageTypes{
    {{"torch FloatStorage", "F32"},
     {"torch HalfStorage", "F16"},
     {"torch BFloat16Storage", "BF16"},
     {"torch DoubleStorage", "F64"},
     {"torch LongStorage", "I64"},
     {"torch IntStorage", "I32"},
     {"torch ShortStorage", "I16"},
     {"torch CharStorage", "I8"},
     {"torch ByteStorage", "U8"},
     {"torch BoolStorage", "BOOL"}}};

tl::unexpected<Error> unknown_form(std::string_view what) {
  return fail(ErrorCode::Corrupt, "{} of an unknown form", what);
}

struct View {
  const model::NumberType* type = nullptr;
  Bytes storage;
  std::uint64_t numbers = 0;  // in the storage
  std::uint64_t offset = 0;   // in numbers, as the strides are
  std::vector<std::int64_t> shape;
  std::vector<std::uint64_t> strides;
  std::uint64_t count = 1;

  [[nodiscard]] bool is_row_major() const {
    std::uint64_t expected = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (shape[i] != 1 && strides[i] != expected) return false;
      expected *= static_cast<std::uint64_t>(shape[i]);
    }
    return true;
  }
};

const model::NumberType* type_of_storage(std::string_view name) {
  const auto* known = std::ranges::find(kStorageTypes, name, &std::pair<std::string_view, std::string_view>::first);
  return known == kStorageTypes.end() ? nullptr : model::find_number_type(known->second);
}

Result<void> find_storage(const TorchParts& parts, const PickleValue& value, View& view) {
  TRY(const auto id, storage_id(value));
  view.type = id.type;
  const auto found = parts.bytes.find(id.key);
  if (found == parts.bytes.end()) return fail(ErrorCode::Corrupt, "there is no storage '{}'", id.key);
  view.storage = as_bytes(found->second);
  view.numbers = view.storage.size() / view.type->size;
  if (id.numbers < 0 || static_cast<std::uint64_t>(id.numbers) != view.numbers ||
      view.storage.size() % view.type->size != 0)
    return fail(ErrorCode::Corrupt, "storage '{}' has {} bytes, not {} numbers of {}", id.key, view.storage.size(),
                id.numbers, view.type->size);
  return {};
}

/// torch.Size is a tuple that knows its name.
Result<std::vector<std::int64_t>> numbers_of(const PickleValue* value) {
  if (value->kind == Kind::Call && value->text == "torch Size" && value->items[0]->items.size() == 1)
    value = value->items[0]->items[0];
  if (value->kind != Kind::Tuple) return unknown_form("a shape");
  if (value->items.size() > kMaxRank) return fail(ErrorCode::Unsupported, "{} dimensions", value->items.size());
  std::vector<std::int64_t> numbers;
  for (const auto* item : value->items) {
    if (item->kind != Kind::Int) return unknown_form("a shape");
    if (item->number < 0) return fail(ErrorCode::Corrupt, "a shape or stride of {}", item->number);
    numbers.push_back(item->number);
  }
  return numbers;
}

/// Every number that the view names lies in the storage, and it names no more than there are.
Result<void> check_extent(View& view) {
  if (std::ranges::find(view.shape, 0) != view.shape.end()) {
    view.count = 0;
    return {};
  }
  const auto beyond = [&] {
    return fail(ErrorCode::Corrupt, "shape [{}] with strides [{}] at {} does not lie in its storage of {} numbers",
                fmt::join(view.shape, ", "), fmt::join(view.strides, ", "), view.offset, view.numbers);
  };
  if (view.offset >= view.numbers) return beyond();
  std::uint64_t last = view.offset;
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    const auto side = static_cast<std::uint64_t>(view.shape[i]);
    if (side > view.numbers / view.count) return beyond();
    view.count *= side;
    if (side > 1 && view.strides[i] > (view.numbers - 1 - last) / (side - 1)) return beyond();
    if (side > 1) last += view.strides[i] * (side - 1);
  }
  return {};
}

/// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks[, metadata]), as it is or in a parameter.
Result<View> view_of(const TorchParts& parts, const PickleValue* call) {
  if (call->text == "torch._utils _rebuild_parameter") {
    if (call->items[0]->items.empty()) return unknown_form("a parameter");
    call = call->items[0]->items[0];
  }
  if (call->kind != Kind::Call || call->text != "torch._utils _rebuild_tensor_v2") return unknown_form("a tensor");
  const auto& given = call->items[0]->items;
  if (given.size() < 6 || given.size() > 7 || given[1]->kind != Kind::Int || given[1]->number < 0)
    return unknown_form("a tensor");
  View view;
  TRY_VOID(find_storage(parts, *given[0], view));
  view.offset = static_cast<std::uint64_t>(given[1]->number);
  TRY(view.shape, numbers_of(given[2]));
  TRY(const auto strides, numbers_of(given[3]));
  view.strides.assign(strides.begin(), strides.end());
  if (view.shape.size() != view.strides.size()) return unknown_form("a tensor");
  TRY_VOID(check_extent(view));
  return view;
}

float read_number(const View& view, std::uint64_t at, bool big_endian) {
  const std::byte* from = view.storage.data() + at * view.type->size;
  if (!big_endian) return view.type->read(from);
  std::array<std::byte, 8> turned{};
  std::reverse_copy(from, from + view.type->size, turned.begin());
  return view.type->read(turned.data());
}

model::Tensor copy_of(const View& view, bool big_endian) {
  model::Tensor tensor{view.shape, std::vector<float>(view.count)};
  if (!big_endian && view.is_row_major()) {
    if (view.count > 0)
      model::read_numbers(*view.type, view.storage.data() + view.offset * view.type->size, tensor.data);
    return tensor;
  }
  std::vector<std::int64_t> index(view.shape.size(), 0);
  std::uint64_t at = view.offset;
  for (float& number : tensor.data) {
    number = read_number(view, at, big_endian);
    for (std::size_t i = index.size(); i-- > 0;) {
      at += view.strides[i];
      if (++index[i] < view.shape[i]) break;
      at -= view.strides[i] * static_cast<std::uint64_t>(view.shape[i]);
      index[i] = 0;
    }
  }
  return tensor;
}

const PickleValue& state_dict_of(const PickleValue& root) {
  for (const std::string_view key : {"state_dict", "model_state_dict", "model"}) {
    const auto* member = root.find(key);
    if (member != nullptr && member->kind == Kind::Dict) return *member;
  }
  return root;
}

bool is_tensor(const PickleValue& value) {
  return value.kind == Kind::Call && value.text.starts_with("torch._utils _rebuild");
}

tl::unexpected<Error> no_tensors(const PickleValue& dict) {
  if (dict.kind != Kind::Dict)
    return fail(ErrorCode::Unsupported, "it holds no dict of tensors, as state_dict() makes");
  std::vector<std::string_view> names;
  for (const auto& [key, value] : dict.members)
    if (names.size() < kMembersShown) names.push_back(key->text);
  return fail(ErrorCode::Unsupported,
              "there are no tensors of floats in it, or in its member 'state_dict' or 'model'; it "
              "has {} members: {}",
              dict.members.size(), fmt::join(names, ", "));
}

model::Weights without_prefix(model::Weights weights, std::string_view prefix) {
  const auto has_it = [&](const auto& entry) { return entry.first.starts_with(prefix); };
  if (!std::ranges::all_of(weights, has_it)) return weights;
  model::Weights named;
  for (auto& [name, tensor] : weights) named.emplace(name.substr(prefix.size()), std::move(tensor));
  return named;
}

}  // namespace

/// ('storage', torch.FloatStorage, key, device, numbers), which Python's pickle leaves to PyTorch; the old format adds
/// None, or a part of the storage, which a state dict never has.
Result<StorageId> storage_id(const PickleValue& value) {
  if (value.kind != Kind::Persistent || value.items[0]->kind != Kind::Tuple) return unknown_form("a storage");
  const auto& id = value.items[0]->items;
  const bool right_size = id.size() == 5 || (id.size() == 6 && id[5]->kind == Kind::None);
  if (!right_size || id[0]->text != "storage" || id[1]->kind != Kind::Global || id[2]->kind != Kind::Text ||
      id[4]->kind != Kind::Int)
    return unknown_form("a storage");
  const auto* type = type_of_storage(id[1]->text);
  if (type == nullptr) return fail(ErrorCode::Corrupt, "a storage of '{}'", id[1]->text);
  return StorageId{type, id[2]->text, id[4]->number};
}

Error weights_alone(Error error) {
  if (error.code == ErrorCode::Unsupported)
    error.message += "; save the weights alone: torch.save(model.state_dict(), FILE)";
  return error;
}

Result<model::Weights> weights_of(const TorchParts& parts) {
  auto pickle = data::Pickle::read(parts.pickle, data::PickleUse::Weights);
  if (!pickle) return tl::unexpected<Error>(weights_alone(pickle.error()));
  std::uint64_t left = 0;
  for (const auto& [key, bytes] : parts.bytes) left += bytes.size() * kNumbersPerByte;
  const auto& dict = state_dict_of(pickle->root());
  model::Weights weights;
  for (const auto& [key, value] : dict.members) {
    if (key->kind != Kind::Text || !is_tensor(*value)) continue;
    const auto view = view_of(parts, value);
    if (!view) return fail(view.error().code, "tensor '{}': {}", key->text, view.error().message);
    if (view->type->read == nullptr) continue;
    if (view->count > left)
      return fail(ErrorCode::Unsupported, "tensor '{}': tensors that share storages are many times the file together",
                  key->text);
    left -= view->count;
    weights.insert_or_assign(std::string(key->text), copy_of(*view, parts.big_endian));
  }
  if (weights.empty()) return no_tensors(dict);
  for (const std::string_view prefix : {"module.", "_orig_mod."}) weights = without_prefix(std::move(weights), prefix);
  return weights;
}

}  // namespace imago::weights
