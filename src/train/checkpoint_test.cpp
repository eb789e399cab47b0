// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.hpp"

#include <gmock/gmock.h>

#include "data/test_data.hpp"

namespace imago::train {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class CheckpointFile : public data::testing::FolderTest {};

EpochEvent event(int epoch) {
  return {.epoch = epoch,
          .loss = 1.5 / epoch,
          .accuracy = 0.1 * epoch,
          .val_loss = 1.0 / 3.0,
          .val_accuracy = 0.7,
          .learning_rate = 1e-7,
          .elapsed = milliseconds(1234 * epoch),
          .best = epoch == 2};
}

Checkpoint example() {
  Checkpoint checkpoint{"run-hash", {}, std::string("learner\0state\xff", 14), "weights"};
  checkpoint.progress = {.epoch = 3,
                         .batch = 17,
                         .steps = 1'000'000'000'017,
                         .elapsed = milliseconds(98'765),
                         .loss_sum = 0.1 + 0.2,
                         .correct = 42,
                         .images = 64,
                         .recent_loss = 1.0 / 7.0,
                         .recent_accuracy = 2.0 / 3.0,
                         .best_epoch = 2,
                         .best_loss = 1e-300,
                         .history = {event(1), event(2), event(3)}};
  return checkpoint;
}

void expect_equal(const EpochEvent& a, const EpochEvent& b) {
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_EQ(a.accuracy, b.accuracy);
  EXPECT_EQ(a.val_loss, b.val_loss);
  EXPECT_EQ(a.val_accuracy, b.val_accuracy);
  EXPECT_EQ(a.learning_rate, b.learning_rate);
  EXPECT_EQ(a.elapsed, b.elapsed);
  EXPECT_EQ(a.best, b.best);
}

void expect_equal(const Checkpoint& a, const Checkpoint& b) {
  EXPECT_EQ(a.run, b.run);
  EXPECT_EQ(a.learner, b.learner);
  EXPECT_EQ(a.best_weights, b.best_weights);
  const Progress &p = a.progress, &q = b.progress;
  EXPECT_EQ(p.epoch, q.epoch);
  EXPECT_EQ(p.batch, q.batch);
  EXPECT_EQ(p.steps, q.steps);
  EXPECT_EQ(p.elapsed, q.elapsed);
  EXPECT_EQ(p.loss_sum, q.loss_sum);
  EXPECT_EQ(p.correct, q.correct);
  EXPECT_EQ(p.images, q.images);
  EXPECT_EQ(p.recent_loss, q.recent_loss);
  EXPECT_EQ(p.recent_accuracy, q.recent_accuracy);
  EXPECT_EQ(p.best_epoch, q.best_epoch);
  EXPECT_EQ(p.best_loss, q.best_loss);
  ASSERT_EQ(p.history.size(), q.history.size());
  for (std::size_t i = 0; i < p.history.size(); ++i) expect_equal(p.history[i], q.history[i]);
}

TEST_F(CheckpointFile, ComesBackToTheBit) {
  const auto path = folder() / "checkpoint.bin";
  for (const Checkpoint& checkpoint : {example(), Checkpoint{}}) {
    ASSERT_TRUE(write_checkpoint(path, checkpoint));
    const auto read = read_checkpoint(path);
    ASSERT_TRUE(read) << read.error().message;
    expect_equal(*read, checkpoint);
  }
}

TEST_F(CheckpointFile, IsRefusedCutShortAtAnyByte) {
  const std::string bytes = encode_checkpoint(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto read = decode_checkpoint(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, ErrorCode::Corrupt) << size;
  }
  EXPECT_FALSE(decode_checkpoint(bytes + "x"));
}

TEST_F(CheckpointFile, IsRefusedWithAnyByteAltered) {
  const std::string bytes = encode_checkpoint(example());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const char flip : {'\x01', '\x80'}) {
      std::string altered = bytes;
      altered[i] = static_cast<char>(altered[i] ^ flip);
      EXPECT_FALSE(decode_checkpoint(altered)) << i;
    }
  }
}

TEST_F(CheckpointFile, IsToldFromAForeignFileAndFromAnotherVersion) {
  const auto path = folder() / "checkpoint.bin";
  put("checkpoint.bin", "PK\x03\x04 something else altogether, of a good length for a file that is none of ours");
  const auto foreign = read_checkpoint(path);
  EXPECT_EQ(foreign.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(foreign.error().message, path.string() + ": this is not a checkpoint");
  std::string newer = encode_checkpoint(example());
  newer[8] = 4;
  EXPECT_EQ(decode_checkpoint(newer).error().code, ErrorCode::Unsupported);
  EXPECT_EQ(decode_checkpoint(newer).error().message, "checkpoint version 4, this program reads version 3");
  EXPECT_EQ(read_checkpoint(folder() / "none.bin").error().code, ErrorCode::NotFound);
}

/// A file with a right checksum over a wrong content: written by a program with a bug, not damaged.
std::string with_checksum(std::string_view header, std::uint32_t header_size, std::string_view rest) {
  std::string bytes("IMAGOCKP\x01\0\0\0", 12);
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((header_size >> shift) & 0xffU);
  bytes += header;
  bytes += rest;
  return bytes + sha256(bytes);
}

TEST_F(CheckpointFile, IsCheckedBeyondItsChecksum) {
  for (const std::string& bytes : {
           with_checksum("{}", 2, ""),
           with_checksum("{}", 0xffffffffU, ""),
           with_checksum("{\"run\"", 6, ""),
           with_checksum("[]", 2, ""),
           with_checksum(R"({"run": "x", "progress": 7})", 27, ""),
       }) {
    EXPECT_FALSE(decode_checkpoint(bytes));
  }
  std::string longer = encode_checkpoint(example());
  longer.resize(longer.size() - 64);
  longer += "one more";
  EXPECT_THAT(decode_checkpoint(longer + sha256(longer)).error().message, HasSubstr("do not add up"));
}

}  // namespace
}  // namespace imago::train
