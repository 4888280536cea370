"""Models by ONNX Runtime's tools: quantised, in half precision, fused.

    convert_model.py NAME EXPORTER MODEL.onnx INPUTS.npz

Made from the exports of PyTorch, which lie beside MODEL.onnx or are made there.
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

import export_torch


def source(name, folder):
    """An export of opset 17 and its inputs."""
    base = os.path.join(folder, f"{name}-torchscript")
    if not os.path.exists(base + ".npz"):
        export_torch.main(name, "torchscript", base + ".onnx", base + ".npz")
    return base + ".onnx", dict(np.load(base + ".npz"))


class Calibration(quantization.CalibrationDataReader):
    """A few images of noise."""

    def __init__(self, shape):
        rng = np.random.default_rng(0)
        self.images = iter([{"input": rng.standard_normal(shape, dtype=np.float32)} for _ in range(4)])

    def get_next(self):
        return next(self.images, None)


def static(kind):
    def convert(model, path, feed):
        quantization.quantize_static(
            model, path, Calibration(feed["input"].shape), quant_format=kind, per_channel=True, reduce_range=True,
            weight_type=quantization.QuantType.QInt8, activation_type=quantization.QuantType.QUInt8)
        return feed
    return convert


def dynamic(model, path, feed):
    quantization.quantize_dynamic(model, path, reduce_range=True, weight_type=quantization.QuantType.QUInt8)
    return feed


def half(model, path, feed):
    """Inputs, weights and outputs in float16."""
    onnx.save(convert_float_to_float16(onnx.load(model)), path)
    return {name: value.astype(np.float16) for name, value in feed.items()}


def mixed(model, path, feed):
    """float16 but for normalisations and softmax; inputs and outputs in float32."""
    kept = ["LayerNormalization", "Softmax"]
    converted = convert_float_to_float16(onnx.load(model), keep_io_types=True, op_block_list=kept)
    # The tool appends casts that nodes before them read, and gives several the same name.
    OnnxModel(converted).topological_sort()
    for index, node in enumerate(converted.graph.node):
        node.name = f"{index}_{node.op_type}"
    onnx.save(converted, path)
    return feed


def optimized(level):
    """What ONNX Runtime itself would run: its fusions, in operators of com.microsoft."""
    def convert(model, path, feed):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.optimized_model_filepath = path
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return feed
    return convert


def fused(model, path, feed):
    """The fusions of transformers: attention, normalisations of sums, Gelu with its bias."""
    optimizer.optimize_model(model, model_type="vit", num_heads=12, hidden_size=768).save_model_to_file(path)
    return feed


MODELS = {
    "resnet50_qdq": ("resnet50", static(quantization.QuantFormat.QDQ)),
    "resnet50_qoperator": ("resnet50", static(quantization.QuantFormat.QOperator)),
    "resnet50_dynamic": ("resnet50", dynamic),
    "resnet50_float16": ("resnet50", half),
    "vit_b_16_mixed": ("vit_b_16", mixed),
    "vit_b_16_fused": ("vit_b_16", fused),
    "resnet50_optimized": ("resnet50", optimized(onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED)),
    "swin_t_optimized": ("swin_t", optimized(onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED)),
    "segformer_b0_optimized": ("segformer_b0", optimized(onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED)),
}


def main(name, exporter, path, inputs):
    network, convert = MODELS[name]
    model, feed = source(network, os.path.dirname(path))
    np.savez(inputs, **convert(model, path, feed))


if __name__ == "__main__":
    main(*sys.argv[1:])
