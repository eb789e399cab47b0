// SPDX-License-Identifier: Apache-2.0
// Inside model/: MobileNetV2.
#pragma once

#include "model/architecture_settings.hpp"
#include "model/graph.hpp"

namespace imago::model {

/// MobileNetV2 at width 1.0 (Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear
/// Bottlenecks", CVPR 2018, table 2) with torchvision's names of tensors, so that weights in its layout fit. Backbone
/// 2,223,872 parameters; 300 MMAC at 224 x 224.
///
/// "padding": "torch" pads 1 on each side of a 3 x 3 convolution; "tensorflow" pads those of stride 2 as Keras does,
/// only after the last row and column where the side is even. Trained weights expect the one they were trained with.
/// "dropout" is before the last layer.
void mobilenet_v2(Graph& graph, int classes, Settings& settings);

}  // namespace imago::model
