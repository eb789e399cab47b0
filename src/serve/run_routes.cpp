// SPDX-License-Identifier: Apache-2.0
#include "serve/api.hpp"

namespace imago::serve {

void add_run_routes(RouteList& /*routes*/, const Api& /*api*/) {}

}  // namespace imago::serve
