// SPDX-License-Identifier: Apache-2.0
#include "data/intake.hpp"

#include "data/layout.hpp"

namespace imago::data {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(50);

}  // namespace

Result<void> check_stop(const std::atomic<bool>* stop) {
  if (stop == nullptr || !stop->load(std::memory_order_relaxed)) return {};
  return fail(ErrorCode::Cancelled, "import stopped: nothing was changed");
}

Result<void> Intake::take(SourceItem item) {
  TRY_VOID(check_stop(stop_));
  report(item.bytes_read, item.bytes_total);
  const bool clutter = is_clutter(item.path);
  if (item.kind == SourceItem::Kind::Folder) {
    if (!clutter) places_.add_folder(item.path);
    return {};
  }
  if (clutter) return table_.refuse(item.path, item.reason.empty() ? "a hidden file" : item.reason);
  if (item.kind == SourceItem::Kind::File) {
    const auto file = cifar_file(item.path, item.bytes);
    if (file.holds != CifarFile::Holds::Nothing) return take_cifar(file, item);
  }
  // A class of nothing but broken files is an empty class all the same: they have a place too.
  TRY(const bool first, table_.reserve(item.path, places_.find(item.path)));
  if (!first) return table_.refuse(item.path, "another file with this path came before");
  if (item.kind == SourceItem::Kind::Refused) return table_.refuse(item.path, item.reason);
  return checkers_.submit({std::move(item.path), std::move(item.bytes)});
}

void Intake::report(std::uint64_t read, std::uint64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!on_progress_ || (now - reported_ < kProgressInterval && read < total)) return;
  reported_ = now;
  const auto refused = table_.refused();
  on_progress_({table_.kept() + refused, refused, read, total});
}

Result<void> Intake::take_cifar(CifarFile file, const SourceItem& item) {
  if (file.holds == CifarFile::Holds::CoarseNames)
    return table_.refuse(item.path, "CIFAR-100's fine classes are taken, not the coarse ones");
  if (std::exchange(cifar_classes_, file.classes) != file.classes && !cifar_labels_.empty())
    return fail(ErrorCode::InvalidArgument, "{}: CIFAR-10 and CIFAR-100 in one source: import one alone", item.path);
  if (file.holds == CifarFile::Holds::Images) return take_batch(file, item);
  auto names = read_cifar_names(file, item.bytes);
  if (!names) return pass(names, item.path);
  cifar_labels_ = std::move(*names);
  return {};
}

Result<void> Intake::take_batch(CifarFile file, const SourceItem& item) {
  if (cifar_labels_.empty()) cifar_labels_ = cifar_names(file.classes);
  const auto name = item.path.substr(item.path.rfind('/') + 1);
  if (!cifar_batches_.insert(name.substr(0, name.find('.'))).second)
    return table_.refuse(item.path, "its images came before, in the other of CIFAR's formats");
  auto batch = read_cifar_batch(file, item.bytes);
  if (!batch) return pass(batch, item.path);
  const auto split = cifar_split(item.path);
  for (std::size_t i = 0; i < batch->labels.size(); ++i) {
    TRY_VOID(check_stop(stop_));
    auto path = cifar_path(item.path, i);
    const auto place = places_.find(path.substr(0, path.rfind('/')), batch->labels[i], split);
    TRY(const bool first, table_.reserve(path, place));
    if (!first) {
      TRY_VOID(table_.refuse(path, "another file with this path came before"));
      continue;
    }
    TRY_VOID(checkers_.submit({std::move(path), std::string(batch->image(i)), true}));
    report(item.bytes_read, item.bytes_total + 1);
  }
  return {};
}

Result<Layout> Intake::lay_out() {
  auto& places = places_.all();
  TRY(const auto images, table_.images_by_place(places.size()));
  for (std::size_t i = 0; i < places.size(); ++i) places[i].images = images[i];
  if (!cifar_batches_.empty()) return lay_out_cifar();
  return data::lay_out(places, places_.folders());
}

/// CIFAR's own files bring their labels and splits; images beside them are none of its.
Layout Intake::lay_out_cifar() {
  for (auto& place : places_.all())
    if (place.label < 0) place.objection = "not part of CIFAR";
  return {.labels = cifar_labels_, .skip = 0};
}

}  // namespace imago::data
