# SPDX-License-Identifier: Apache-2.0
"""Makes tiny.onnx and tiny_one_logit.onnx with the onnx package, and their answers with ONNX Runtime, as the C++ tests read them.

    .deps/test/bin/python tests/golden/make_tiny_onnx.py

Both are conv 3x3 (3 -> 4), ReLU, global average pool, linear, on [n, 3, 8, 8]; three classes, and one logit. Weights and inputs come
from formulas, so that the test can make the inputs itself: input i is sin(0.1 * i) over the whole batch of five.
"""
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent


def wave(shape, step):
    return np.sin(step * (1 + np.arange(np.prod(shape)))).astype(np.float32).reshape(shape)


def network(outputs):
    weights = {
        "conv.weight": wave((4, 3, 3, 3), 0.7),
        "conv.bias": wave((4,), 1.3),
        "linear.weight": wave((outputs, 4), 2.1),
        "linear.bias": wave((outputs,), 0.4),
    }
    nodes = [
        helper.make_node("Conv", ["input", "conv.weight", "conv.bias"], ["conv"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "linear.weight", "linear.bias"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes, "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="imago-test", ir_version=8)
    onnx.checker.check_model(model)
    return model


inputs = np.sin(0.1 * np.arange(5 * 3 * 8 * 8)).astype(np.float32).reshape(5, 3, 8, 8)
for name, outputs in (("tiny", 3), ("tiny_one_logit", 1)):
    model = network(outputs)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(HERE / f"{name}.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"input": inputs})
    print(name, "onnxruntime", onnxruntime.__version__)
    print(",\n".join(", ".join(f"{x:.7f}F" for x in row) for row in logits))
