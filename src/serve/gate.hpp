// SPDX-License-Identifier: Apache-2.0
// Who may do what, and how often: API keys and rate limits, asked before a handler sees the request.
#pragma once

#include "serve/reply.hpp"

namespace imago::serve {

/// What a route asks of its caller; a key has one or more of them, and Admin includes the others.
enum class Scope {
  Open,     ///< anybody: health, metrics, documentation, the dashboard's files
  Predict,  ///< predictions, and reading what there is
  Write,    ///< uploads, training, feedback
  Admin,    ///< promoting, deleting, keys
};

/// Safe from any thread.
class Gate {
 public:
  /// True when the request may go on; else it has been answered (401, 403 or 429).
  bool admit(Reply& reply, Scope scope) const;
};

}  // namespace imago::serve
