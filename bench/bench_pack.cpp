// SPDX-License-Identifier: Apache-2.0
// How long does it take to decode, resize and pack a data set that has been imported?
//
//   bench_pack DATASETS NAME SIDE    prints {"images": ..., "seconds": ...}; a cache that is there already costs
//   nothing
#include <chrono>
#include <cstdlib>

#include "data/packed.hpp"
#include "json/json.hpp"

namespace {

using namespace imago;
using Clock = std::chrono::steady_clock;

Result<json::Value> measure(int argc, char** argv) {
  if (argc != 4) return fail(ErrorCode::InvalidArgument, "usage: bench_pack DATASETS NAME SIDE");
  const data::Repository repository(argv[1]);
  const int side = std::atoi(argv[3]);
  const image::Preprocess preprocess{.width = side, .height = side};
  const auto started = Clock::now();
  TRY(const auto manifest, repository.load(argv[2]));
  std::size_t images = 0;
  for (const auto split : {data::Split::Train, data::Split::Validation, data::Split::Test}) {
    if (manifest.indices(split).empty()) continue;
    TRY(const auto packed, data::open_packed(repository, manifest, split, preprocess, {}));
    images += packed.size();
  }
  const std::chrono::duration<double> elapsed = Clock::now() - started;
  return json::Value{{"images", images}, {"seconds", elapsed.count()}};
}

}  // namespace

int main(int argc, char** argv) {
  const auto result = measure(argc, argv);
  fmt::print("{}\n", result ? json::dump(*result) : result.error().message);
  return result ? 0 : 1;
}
