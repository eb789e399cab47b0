// SPDX-License-Identifier: Apache-2.0
#include "serve/gate.hpp"

namespace imago::serve {

bool Gate::admit(Reply& /*reply*/, Scope /*scope*/) const { return true; }

}  // namespace imago::serve
