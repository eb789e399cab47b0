// SPDX-License-Identifier: Apache-2.0
// imago bench URL: load on a server.
#pragma once

#include <string>
#include <vector>

#include "app/command.hpp"
#include "load/pictures.hpp"

namespace imago::app {

struct BenchOptions {
  std::string target;
  int connections = 32;
  double rate = 0.0;  ///< 0: a closed loop
  std::string pace = "poisson";
  bool find_rate = false;
  double p99_ms = 50.0;
  double seconds = 10.0;
  std::string images;
  std::string form = "multipart";
  std::vector<std::string> against;
  std::string api_key;
  std::string trust;
  bool allow_remote = false;
};

/// The images that --images names; without it, drawn ones of that side.
Result<load::Pictures> bench_pictures(Context& context, const BenchOptions& options, int side);

/// Measures, prints, and fails when an answer was wrong or there was none.
Result<void> bench_server(Context& context, const BenchOptions& options);

}  // namespace imago::app
