// SPDX-License-Identifier: Apache-2.0
// What can this machine do without HTTP? Decode + preprocess + infer in a loop, on every core, from memory.
//
//   bench_engine PACKAGE SECONDS BATCH THREADS IMAGE...    prints {"images_per_second": ..., "latency_ms": ...}
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/files.hpp"
#include "image/preprocess.hpp"
#include "infer/engine.hpp"
#include "json/json.hpp"

namespace {

using namespace imago;
using Clock = std::chrono::steady_clock;

struct Setting {
  std::chrono::duration<double> seconds;
  int batch;
  const image::Preprocess& preprocess;
  const std::vector<std::string>& images;
};

/// Runs until the time is up; returns how many images were classified.
Result<std::int64_t> work(infer::Engine& engine, const Setting& setting) {
  std::int64_t done = 0;
  image::ImageBatch batch{.n = setting.batch,
                          .channels = 3,
                          .height = setting.preprocess.height,
                          .width = setting.preprocess.width,
                          .data = {}};
  batch.data.resize(batch.item_size() * static_cast<std::size_t>(setting.batch));
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(setting.seconds);
  while (Clock::now() < end) {
    for (int i = 0; i < setting.batch; ++i) {
      const auto& bytes = setting.images[static_cast<std::size_t>(done + i) % setting.images.size()];
      TRY(const auto resized, image::decode_and_resize(as_bytes(bytes), setting.preprocess));
      image::normalize(resized.rgb, setting.preprocess, batch.item(i));
    }
    TRY(const auto logits, engine.classify(batch));
    done += logits.n;
  }
  return done;
}

Result<json::Value> measure(int argc, char** argv) {
  if (argc < 6) return fail(ErrorCode::InvalidArgument, "usage: bench_engine PACKAGE SECONDS BATCH THREADS IMAGE...");
  TRY(const auto package, package::open_package(argv[1]));
  const int threads = std::atoi(argv[4]);
  std::vector<std::string> images;
  for (int i = 5; i < argc; ++i) {
    TRY(auto bytes, read_file(argv[i]));
    images.push_back(std::move(bytes));
  }
  const Setting setting{std::chrono::duration<double>(std::atof(argv[2])), std::atoi(argv[3]), package.spec.preprocess,
                        images};
  TRY(const auto engine, infer::Engine::load(package, {.threads = 1}));
  std::atomic<std::int64_t> total{0};
  std::atomic<bool> failed{false};
  const auto started = Clock::now();
  std::vector<std::jthread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, own = std::shared_ptr<infer::Engine>(engine->clone())] {
      const auto done = work(*own, setting);
      if (done)
        total += *done;
      else
        failed = true;
    });
  }
  workers.clear();
  if (failed) return fail(ErrorCode::Internal, "an inference failed");
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  const double rate = static_cast<double>(total) / seconds;
  return json::Value{{"images_per_second", rate}, {"latency_ms", 1000.0 * threads * setting.batch / rate}};
}

}  // namespace

int main(int argc, char** argv) {
  const auto result = measure(argc, argv);
  fmt::print("{}\n", result ? json::dump(*result) : result.error().message);
  return result ? 0 : 1;
}
