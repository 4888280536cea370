"""Models that no exporter writes, from onnx.helper: build_model.py NAME EXPORTER MODEL.onnx INPUTS.npz"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH, LAYERS = 12288, 4


def external_data(path, rng):
    """Matrix products with 2.4 GB of weights in a second file, which is written piece by piece."""
    data = os.path.basename(path) + ".data"
    nodes, weights, value = [], [], "input"
    with open(os.path.join(os.path.dirname(path), data), "wb") as file:
        for layer in range(LAYERS):
            name, start = f"weight{layer}", file.tell()
            for _ in range(WIDTH // 1024):
                piece = rng.standard_normal((1024, WIDTH), dtype=np.float32)
                file.write((piece / np.float32(np.sqrt(WIDTH))).tobytes())
            weight = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH],
                                 data_location=TensorProto.EXTERNAL)
            for key, entry in (("location", data), ("offset", start), ("length", file.tell() - start)):
                weight.external_data.add(key=key, value=str(entry))
            weights.append(weight)
            nodes += [helper.make_node("MatMul", [value, name], [f"product{layer}"]),
                      helper.make_node("Relu", [f"product{layer}"], [f"value{layer}"])]
            value = f"value{layer}"
    graph = helper.make_graph(
        nodes, "external_data", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, WIDTH])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, WIDTH])], weights)
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)]), {
        "input": rng.standard_normal((1, WIDTH), dtype=np.float32)}


def newest(path, rng):
    """A block of a vision transformer with the operators of opset 23 and later."""
    channels, heads = 64, 4
    weights = {
        "query": (channels, channels), "key": (channels, channels), "value": (channels, channels),
        "scale": (channels,), "wide": (channels, 4 * channels), "narrow": (4 * channels, channels)}
    initializers = [
        numpy_helper.from_array((rng.standard_normal(shape) / 8).astype(np.float32), name)
        for name, shape in weights.items()]
    nodes = [
        helper.make_node("RMSNormalization", ["input", "scale"], ["normal"], axis=-1),
        *(helper.make_node("MatMul", ["normal", name], [name + "s"]) for name in ("query", "key", "value")),
        helper.make_node("Attention", ["querys", "keys", "values"], ["mixed"], q_num_heads=heads,
                         kv_num_heads=heads, is_causal=1),
        helper.make_node("Add", ["input", "mixed"], ["residual"]),
        helper.make_node("RMSNormalization", ["residual", "scale"], ["second"], axis=-1),
        helper.make_node("MatMul", ["second", "wide"], ["hidden"]),
        helper.make_node("Gelu", ["hidden"], ["active"], approximate="tanh"),
        helper.make_node("MatMul", ["active", "narrow"], ["back"]),
        helper.make_node("Add", ["residual", "back"], ["sum"]),
        helper.make_node("Swish", ["sum"], ["output"], alpha=1.5),
    ]
    shape = [2, 10, channels]
    graph = helper.make_graph(
        nodes, "newest", [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)], initializers)
    return helper.make_model(graph, ir_version=13, opset_imports=[helper.make_opsetid("", 26)]), {
        "input": rng.standard_normal(shape, dtype=np.float32)}


MODELS = {"external_data": external_data, "ir13_opset26": newest}


def main(name, exporter, path, inputs):
    model, feed = MODELS[name](path, np.random.default_rng(0))
    with open(path, "wb") as file:
        file.write(model.SerializeToString())
    np.savez(inputs, **feed)


if __name__ == "__main__":
    main(*sys.argv[1:])
