"""Exports one network: export_torch.py NAME EXPORTER MODEL.onnx INPUTS.npz, with EXPORTER torchscript or dynamo."""
import importlib
import sys
import warnings

import numpy as np
import torch

from catalogue import TORCH
from example import randomize

warnings.filterwarnings("ignore")


def export(example, exporter, path):
    common = dict(input_names=list(example.inputs), output_names=example.outputs or None)
    inputs = tuple(example.inputs.values())
    # The fused operator of inference has no counterpart in ONNX.
    torch.backends.mha.set_fastpath_enabled(False)
    if exporter == "torchscript":
        torch.onnx.export(
            example.module, inputs, path, dynamo=False, opset_version=17, dynamic_axes=example.dynamic_axes, **common)
    else:
        torch.onnx.export(
            example.module, inputs, path, dynamo=True, opset_version=example.opset, external_data=False,
            verbose=False, **common)


def main(name, exporter, model, inputs):
    torch.manual_seed(0)
    example = importlib.import_module(TORCH[name]).MODELS[name]()
    randomize(example.module)
    example.module.eval()
    with torch.no_grad():
        export(example, exporter, model)
    feed = example.resized if exporter == "torchscript" and example.resized else example.inputs
    np.savez(inputs, **{key: value.numpy() for key, value in feed.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
