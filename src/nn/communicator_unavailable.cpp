// SPDX-License-Identifier: Apache-2.0
// Without Gloo's headers (Debian: libgloo-dev), which libtorch's own download lacks, a process trains alone.
#if !__has_include(<gloo/transport/device.h>)

#include "nn/communicator.hpp"

namespace imago::nn {

Result<std::unique_ptr<Communicator>> connect(const TeamSettings& settings, Rendezvous& /*rendezvous*/) {
  return fail(ErrorCode::Unsupported, "{} workers: this program was built without Gloo (libgloo-dev)", settings.size);
}

}  // namespace imago::nn

#endif
