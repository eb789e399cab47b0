// SPDX-License-Identifier: Apache-2.0
#include "data/import.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/queue.hpp"
#include "data/cifar.hpp"
#include "data/layout.hpp"
#include "data/source.hpp"
#include "data/split.hpp"
#include "data/staging.hpp"
#include "image/decode.hpp"
#include "image/encode.hpp"

namespace imago::data {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(50);
constexpr std::size_t kQueued = 64;

/// One image to be checked. A CIFAR record comes as planes, and brings its label.
struct Task {
  std::string path;
  std::string bytes;
  bool cifar = false;
  int label = 0;
  Split split = Split::Train;
};

bool stopped(const std::atomic<bool>* stop) { return stop != nullptr && stop->load(std::memory_order_relaxed); }

/// The threads that decode, hash and store; what they found.
class Checkers {
 public:
  Checkers(Staging& staging, std::string source, int threads)
      : staging_(staging), source_(std::move(source)), queue_(kQueued) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Checkers() { finish(); }
  Checkers(const Checkers&) = delete;
  Checkers& operator=(const Checkers&) = delete;

  Result<void> submit(Task task) {
    if (queue_.push(std::move(task))) return {};
    const std::scoped_lock lock(mutex_);
    return tl::unexpected<Error>(*failure_);
  }

  /// Waits for all; the first failure, if there was one.
  Result<void> finish() {
    queue_.close();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    if (failure_) return tl::unexpected<Error>(*failure_);
    return {};
  }

  void refuse(std::string path, std::string reason) {
    const std::scoped_lock lock(mutex_);
    refused.push_back({std::move(path), std::move(reason)});
  }

  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> counts() {
    const std::scoped_lock lock(mutex_);
    return {entries.size() + refused.size(), refused.size()};
  }

  std::vector<Entry> entries;  // until finish(), guarded by mutex_
  std::vector<Refusal> refused;

 private:
  void work() {
    while (auto task = queue_.pop()) {
      if (auto checked = check(*task); !checked) {
        const std::scoped_lock lock(mutex_);
        if (!failure_) failure_ = std::move(checked.error());
        queue_.close();
        return;
      }
    }
  }

  Result<void> check(Task& task) {
    if (task.cifar) {  // any 3072 bytes are an image: nothing to check
      const auto pixels = cifar_image(task.bytes);
      TRY(task.bytes, image::encode_png(pixels));
      return keep(task, pixels.width, pixels.height);
    }
    const auto image = image::decode(as_bytes(task.bytes));
    if (!image) {
      refuse(std::move(task.path), image.error().message);
      return {};
    }
    if (!is_utf8(task.path)) {
      refuse(std::move(task.path), "its name is not UTF-8");
      return {};
    }
    return keep(task, image->width, image->height);
  }

  Result<void> keep(Task& task, int width, int height) {
    TRY(auto digest, staging_.put(task.bytes));
    const std::scoped_lock lock(mutex_);
    entries.push_back({std::move(task.path), std::move(digest), task.label, task.split, width, height, source_});
    return {};
  }

  Staging& staging_;
  const std::string source_;
  BoundedQueue<Task> queue_;
  std::mutex mutex_;  // guards entries, refused and failure_
  std::optional<Error> failure_;
  std::vector<std::thread> threads_;
};

/// Sorts what a source has: images to the checkers, CIFAR batches record by record, the rest to where it belongs.
class Intake {
 public:
  Intake(Checkers& checkers, const OnImportProgress& on_progress, const std::atomic<bool>* stop)
      : checkers_(checkers), on_progress_(on_progress), stop_(stop) {}

  Result<void> take(SourceItem item) {
    if (stopped(stop_)) return fail(ErrorCode::Cancelled, "import stopped: nothing was changed");
    report(item.bytes_read, item.bytes_total);
    if (is_clutter(item.path)) {
      if (item.kind == SourceItem::Kind::Folder) return {};
      checkers_.refuse(std::move(item.path), item.reason.empty() ? "a hidden file" : std::move(item.reason));
      return {};
    }
    if (item.kind == SourceItem::Kind::Folder) {
      folders.insert(std::move(item.path));
      return {};
    }
    if (!seen_.insert(item.path).second)
      item = {SourceItem::Kind::Refused, item.path, {}, "another file with this path came before", 0, 0};
    if (item.kind == SourceItem::Kind::Refused) {
      add_parents(item.path);
      checkers_.refuse(std::move(item.path), std::move(item.reason));
      return {};
    }
    if (const auto file = cifar_file(item.path, item.bytes); file.holds != CifarFile::Holds::Nothing)
      return take_cifar(file, item);
    add_parents(item.path);
    return checkers_.submit({std::move(item.path), std::move(item.bytes)});
  }

  void report(std::uint64_t read, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_progress_ || (now - reported_ < kProgressInterval && read < total)) return;
    reported_ = now;
    const auto [images, refused] = checkers_.counts();
    on_progress_({images, refused, read, total});
  }

  std::set<std::string> folders;
  std::vector<std::string> cifar_labels;  ///< as a file of the source names them, or officially
  bool cifar = false;

 private:
  /// Archives need not list folders; a class of nothing but broken files is an empty class all the same.
  void add_parents(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      folders.insert(path.substr(0, slash));
  }

  Result<void> take_cifar(CifarFile file, const SourceItem& item) {
    if (file.holds == CifarFile::Holds::CoarseNames) {
      checkers_.refuse(item.path, "CIFAR-100's fine classes are taken, not the coarse ones");
      return {};
    }
    if (std::exchange(cifar_classes_, file.classes) != file.classes && !cifar_labels.empty())
      return fail(ErrorCode::InvalidArgument, "{}: CIFAR-10 and CIFAR-100 in one source: import one alone", item.path);
    if (file.holds == CifarFile::Holds::Names) {
      auto names = read_cifar_names(file, item.bytes);
      if (!names) return pass(names, item.path);
      cifar_labels = std::move(*names);
      return {};
    }
    if (cifar_labels.empty()) cifar_labels = cifar_names(file.classes);
    cifar = true;
    const auto name = item.path.substr(item.path.rfind('/') + 1);
    const auto stem = name.substr(0, name.find('.'));
    if (!seen_.insert("/" + stem).second) {  // a slash in front: no path begins so
      checkers_.refuse(item.path, "its images came before, in the other of CIFAR's formats");
      return {};
    }
    auto batch = read_cifar_batch(file, item.bytes);
    if (!batch) return pass(batch, item.path);
    const auto split = cifar_split(item.path);
    for (std::size_t i = 0; i < batch->labels.size(); ++i) {
      if (stopped(stop_)) return fail(ErrorCode::Cancelled, "import stopped: nothing was changed");
      TRY_VOID(
          checkers_.submit({cifar_path(item.path, i), std::string(batch->image(i)), true, batch->labels[i], split}));
      report(item.bytes_read, item.bytes_total + 1);
    }
    return {};
  }

  Checkers& checkers_;
  const OnImportProgress& on_progress_;
  const std::atomic<bool>* stop_;
  std::set<std::string> seen_;
  int cifar_classes_ = 0;
  std::chrono::steady_clock::time_point reported_{};
};

Result<void> check_request(const ImportRequest& request) {
  TRY_VOID(check_name(request.name));
  const auto& [validation, test] = request.ratios;
  if (!(validation >= 0 && test >= 0 && validation + test < 1))
    return fail(ErrorCode::InvalidArgument,
                "split ratios {} for validation and {} for test: each at least 0, together below 1", validation, test);
  return {};
}

int thread_count(int asked) {
  return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// CIFAR's own files bring their labels and splits; images beside them are none of its.
void lay_out_cifar(Manifest& manifest, std::vector<std::string> labels, std::vector<Refusal>& refused) {
  manifest.labels = std::move(labels);
  std::erase_if(manifest.entries, [&](const Entry& entry) {
    if (is_cifar_path(entry.path)) return false;
    refused.push_back({entry.path, "not part of CIFAR"});
    return true;
  });
}

}  // namespace

std::map<Split, std::vector<std::size_t>> count_images(const Manifest& manifest) {
  std::map<Split, std::vector<std::size_t>> counts;
  for (const auto& entry : manifest.entries) {
    auto& row = counts[entry.split];
    row.resize(manifest.labels.size());
    ++row[static_cast<std::size_t>(entry.label)];
  }
  return counts;
}

Result<ImportReport> import_dataset(Repository& repository, const ImportRequest& request,
                                    const OnImportProgress& on_progress, const std::atomic<bool>* stop) {
  TRY_VOID(check_request(request));
  std::error_code error;
  if (!fs::exists(request.source, error))
    return fail(ErrorCode::NotFound, "{}: no such file or folder", request.source.string());
  TRY(auto staging, Staging::open(repository));
  const auto canonical = fs::weakly_canonical(request.source, error);
  Checkers checkers(staging, canonical.filename().string(), thread_count(request.threads));
  Intake intake(checkers, on_progress, stop);
  const auto read =
      read_source(request.source, kImportLimits, [&](SourceItem item) { return intake.take(std::move(item)); });
  TRY_VOID(checkers.finish());
  if (!read) return tl::unexpected<Error>(read.error());
  intake.report(1, 1);

  Manifest manifest{request.name, {}, std::move(checkers.entries), {}};
  std::sort(manifest.entries.begin(), manifest.entries.end(),
            [](const Entry& a, const Entry& b) { return a.path < b.path; });
  auto& refused = checkers.refused;
  if (intake.cifar) {
    lay_out_cifar(manifest, std::move(intake.cifar_labels), refused);
  } else if (auto laid = lay_out(manifest, intake.folders, refused); !laid) {
    return pass(laid, request.source.string());
  }
  std::sort(refused.begin(), refused.end(), [](const Refusal& a, const Refusal& b) { return a.path < b.path; });
  assign_splits(manifest.entries, request.ratios, request.seed);
  if (stopped(stop)) return fail(ErrorCode::Cancelled, "import stopped: nothing was changed");

  ImportReport report;
  TRY(report.version, staging.publish(manifest, refused, report.was_there));
  report.kept = manifest.entries.size();
  report.refused = std::move(refused);
  report.counts = count_images(manifest);
  report.labels = std::move(manifest.labels);
  return report;
}

}  // namespace imago::data
