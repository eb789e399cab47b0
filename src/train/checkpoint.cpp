// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.hpp"

#include "base/files.hpp"
#include "base/hash.hpp"
#include "json/json.hpp"

namespace imago::train {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kMagic = "IMAGOCKP";
constexpr std::uint32_t kVersion = 3;
constexpr std::size_t kDigestSize = 64;

void append_u32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>((value >> shift) & 0xffU);
}

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

json::Value to_json(const EpochEvent& e) {
  return {{"epoch", e.epoch},
          {"loss", e.loss},
          {"accuracy", e.accuracy},
          {"val_loss", e.val_loss},
          {"val_accuracy", e.val_accuracy},
          {"learning_rate", e.learning_rate},
          {"elapsed_ms", e.elapsed.count()},
          {"best", e.best}};
}

Result<EpochEvent> epoch_from(const json::Value& value) {
  EpochEvent e;
  TRY(e.epoch, json::get<int>(value, "epoch"));
  TRY(e.loss, json::get<double>(value, "loss"));
  TRY(e.accuracy, json::get<double>(value, "accuracy"));
  TRY(e.val_loss, json::get<double>(value, "val_loss"));
  TRY(e.val_accuracy, json::get<double>(value, "val_accuracy"));
  TRY(e.learning_rate, json::get<double>(value, "learning_rate"));
  TRY(const auto elapsed, json::get<std::int64_t>(value, "elapsed_ms"));
  e.elapsed = milliseconds(elapsed);
  TRY(e.best, json::get<bool>(value, "best"));
  return e;
}

json::Value to_json(const Progress& p) {
  json::Value history = json::Value::array();
  for (const EpochEvent& event : p.history) history.push_back(to_json(event));
  return {{"epoch", p.epoch},
          {"batch", p.batch},
          {"steps", p.steps},
          {"elapsed_ms", p.elapsed.count()},
          {"loss_sum", p.loss_sum},
          {"correct", p.correct},
          {"images", p.images},
          {"recent_loss", p.recent_loss},
          {"recent_accuracy", p.recent_accuracy},
          {"best_epoch", p.best_epoch},
          {"best_loss", p.best_loss},
          {"history", history}};
}

Result<Progress> progress_from(const json::Value& value) {
  Progress p;
  TRY(p.epoch, json::get<int>(value, "epoch"));
  TRY(p.batch, json::get<std::int64_t>(value, "batch"));
  TRY(p.steps, json::get<std::int64_t>(value, "steps"));
  TRY(const auto elapsed, json::get<std::int64_t>(value, "elapsed_ms"));
  p.elapsed = milliseconds(elapsed);
  TRY(p.loss_sum, json::get<double>(value, "loss_sum"));
  TRY(p.correct, json::get<std::int64_t>(value, "correct"));
  TRY(p.images, json::get<std::int64_t>(value, "images"));
  TRY(p.recent_loss, json::get<double>(value, "recent_loss"));
  TRY(p.recent_accuracy, json::get<double>(value, "recent_accuracy"));
  TRY(p.best_epoch, json::get<int>(value, "best_epoch"));
  TRY(p.best_loss, json::get<double>(value, "best_loss"));
  TRY(const auto history, json::get<json::Value>(value, "history"));
  for (const json::Value& row : history) {
    TRY(p.history.emplace_back(), epoch_from(row));
  }
  return p;
}

}  // namespace

std::string encode_checkpoint(const Checkpoint& checkpoint) {
  const std::string header = json::dump({{"run", checkpoint.run},
                                         {"progress", to_json(checkpoint.progress)},
                                         {"learner_bytes", checkpoint.learner.size()},
                                         {"best_weights_bytes", checkpoint.best_weights.size()}});
  std::string bytes(kMagic);
  append_u32(bytes, kVersion);
  append_u32(bytes, static_cast<std::uint32_t>(header.size()));
  bytes += header;
  bytes += checkpoint.learner;
  bytes += checkpoint.best_weights;
  return bytes + sha256(bytes);
}

Result<Checkpoint> decode_checkpoint(std::string_view bytes) {
  const std::size_t fixed = kMagic.size() + 8;
  if (!bytes.starts_with(kMagic) || bytes.size() < fixed) return fail(ErrorCode::Corrupt, "this is not a checkpoint");
  if (const auto version = read_u32(bytes.substr(kMagic.size())); version != kVersion)
    return fail(ErrorCode::Unsupported, "checkpoint version {}, this program reads version {}", version, kVersion);
  if (bytes.size() < fixed + kDigestSize ||
      sha256(bytes.substr(0, bytes.size() - kDigestSize)) != bytes.substr(bytes.size() - kDigestSize))
    return fail(ErrorCode::Corrupt, "the checkpoint is cut short or altered: its checksum does not fit");
  std::string_view rest = bytes.substr(fixed, bytes.size() - fixed - kDigestSize);
  const std::size_t header_size = read_u32(bytes.substr(kMagic.size() + 4));
  if (header_size > rest.size()) return fail(ErrorCode::Corrupt, "the checkpoint's header is cut short");
  TRY(const auto header, json::parse(rest.substr(0, header_size)));
  rest.remove_prefix(header_size);

  Checkpoint checkpoint;
  TRY(checkpoint.run, json::get<std::string>(header, "run"));
  TRY(const auto progress, json::get<json::Value>(header, "progress"));
  TRY(checkpoint.progress, progress_from(progress));
  TRY(const auto learner_size, json::get<std::uint64_t>(header, "learner_bytes"));
  TRY(const auto best_size, json::get<std::uint64_t>(header, "best_weights_bytes"));
  if (learner_size > rest.size() || rest.size() - learner_size != best_size)
    return fail(ErrorCode::Corrupt, "the checkpoint's parts do not add up");
  checkpoint.learner = rest.substr(0, learner_size);
  checkpoint.best_weights = rest.substr(learner_size);
  return checkpoint;
}

Result<void> write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  return write_file_atomic(path, encode_checkpoint(checkpoint));
}

Result<Checkpoint> read_checkpoint(const std::filesystem::path& path) {
  TRY(const auto bytes, read_file(path));
  auto checkpoint = decode_checkpoint(bytes);
  if (!checkpoint) return pass(checkpoint, path.string());
  return checkpoint;
}

}  // namespace imago::train
