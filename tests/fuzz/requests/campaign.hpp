// SPDX-License-Identifier: Apache-2.0
// Many connections to one server, each with requests that may be anything.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/requests/judge.hpp"
#include "fuzz/requests/maker.hpp"

namespace imago::fuzz {

struct CampaignOptions {
  int port = 0;  ///< of 127.0.0.1
  std::uint64_t count = 1000;
  int connections = 32;
  std::size_t most_faults = 20;  ///< then it stops
};

struct Fault {
  std::string what;
  std::string request;  ///< as it was sent
};

struct CampaignReport {
  std::uint64_t requests = 0;
  std::array<std::uint64_t, kKinds> kinds{};
  std::map<int, std::uint64_t> answers;  ///< by status; those to broken bytes are not in it
  std::uint64_t cut = 0;                 ///< connections that ended with an odd request on the way
  std::vector<Fault> faults;
  bool server_gone = false;
  std::vector<std::string> latest;  ///< what was sent last, when the server has gone
};

/// From one thread.
CampaignReport run_campaign(const CampaignOptions& options, const Maker& maker, Judge& judge);

}  // namespace imago::fuzz
