// SPDX-License-Identifier: Apache-2.0
// libtorch, precompiled: 30 s a file without this.
#pragma once

#include <torch/torch.h>
