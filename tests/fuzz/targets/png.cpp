// SPDX-License-Identifier: Apache-2.0
#include "fuzz/images.hpp"
#include "fuzz/target.hpp"

FUZZ_TARGET(png) { imago::fuzz::decode_every_way(input, imago::image::Format::Png); }
