// SPDX-License-Identifier: Apache-2.0
// How many augmented, normalised training images a second does the loader hand over, with nobody learning from them?
//
//   bench_augment DATASETS NAME SECONDS BATCH THREADS AUGMENTATION-JSON    prints {"images_per_second": ...}
#include <chrono>
#include <cstdlib>

#include "json/json.hpp"
#include "train/loader.hpp"

namespace {

using namespace imago;
using Clock = std::chrono::steady_clock;

Result<json::Value> measure(int argc, char** argv) {
  if (argc != 7)
    return fail(ErrorCode::InvalidArgument,
                "usage: bench_augment DATASETS NAME SECONDS BATCH THREADS AUGMENTATION-JSON");
  const data::Repository repository(argv[1]);
  TRY(const auto manifest, repository.load(argv[2]));
  const image::Preprocess preprocess{.mean = {0.4914F, 0.4822F, 0.4465F}, .stddev = {0.2470F, 0.2435F, 0.2616F}};
  TRY(const auto split, data::open_packed(repository, manifest, data::Split::Train, preprocess, {}));
  TRY(const auto settings, json::parse(argv[6]));
  TRY(const auto augmentation, data::augmentation_from_json(settings));
  const train::LoaderSettings loading{
      .batch_size = std::atoi(argv[4]), .seed = 1, .augmentation = augmentation, .threads = std::atoi(argv[5])};
  const std::chrono::duration<double> limit(std::atof(argv[3]));
  std::int64_t images = 0;
  const auto started = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - started); };
  for (int epoch = 0; elapsed() < limit; ++epoch) {
    train::BatchLoader loader(split, preprocess, loading, epoch);
    for (auto batch = loader.next(); batch && elapsed() < limit; batch = loader.next()) {
      images += batch->images.n;
      loader.recycle(std::move(*batch));
    }
  }
  return json::Value{{"images_per_second", static_cast<double>(images) / elapsed().count()}};
}

}  // namespace

int main(int argc, char** argv) {
  const auto result = measure(argc, argv);
  fmt::print("{}\n", result ? json::dump(*result) : result.error().message);
  return result ? 0 : 1;
}
