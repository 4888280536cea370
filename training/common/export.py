"""Writing ONNX files with the metadata of the pipeline's model contracts, checked against ONNX Runtime."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OPSET = 17
TOLERANCE = 1e-4
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ParityError(RuntimeError):
    """ONNX Runtime computes something else than PyTorch."""


def export(model: nn.Module, arguments: tuple[torch.Tensor, ...], path: Path, *, inputs: Sequence[str],
           outputs: Sequence[str], metadata: dict[str, str], dynamic: dict[str, dict[int, str]] | None = None,
           half: bool = False) -> float:
    """Exports a model and compares the file with it.

    Args:
        arguments: sample inputs; their sizes are fixed in the file unless `dynamic` names them.
        metadata: `metadata_props` of the file.
        dynamic: for each input or output the dimensions that stay free, with their names.
        half: whether weights are stored as float16, each followed by a cast to float32.

    Returns:
        The largest difference from PyTorch, relative to the largest value of each output.

    Raises:
        ParityError: the difference is above 1e-4 (2e-2 for `half`, whose weights are rounded).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    model = model.cpu().eval()
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter that traces warns of every shape that it fixes, and that a newer one is there.
        warnings.simplefilter("ignore")
        torch.onnx.export(model, arguments, str(path), input_names=list(inputs), output_names=list(outputs),
                          dynamic_axes=dynamic or {}, opset_version=OPSET, dynamo=False)
    proto = onnx.load(path)
    if half:
        store_as_half(proto)
    helper.set_model_props(proto, metadata)
    onnx.checker.check_model(proto)
    onnx.save(proto, path)
    error = parity(model, arguments, path, inputs)
    if error > (2e-2 if half else TOLERANCE):
        raise ParityError(f"{path}: ONNX Runtime differs from PyTorch by {error:.1e}")
    return error


def parity(model: nn.Module, arguments: tuple[torch.Tensor, ...], path: Path, inputs: Sequence[str]) -> float:
    """The largest difference between a file in ONNX Runtime and the model, relative to each output's largest value."""
    with torch.no_grad():
        expected = model(*arguments)
    expected = [expected] if isinstance(expected, torch.Tensor) else list(expected)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    used = {value.name for value in session.get_inputs()}
    feed = {name: value.numpy() for name, value in zip(inputs, arguments, strict=True) if name in used}
    results = session.run(None, feed)
    return max(float(np.abs(want.numpy() - got).max() / max(float(want.abs().max()), 1e-12))
               for want, got in zip(expected, results, strict=True))


def store_as_half(proto: onnx.ModelProto, smallest: int = 256) -> None:
    """Stores float initializers of at least `smallest` elements as float16, each with a Cast back to float32."""
    casts = []
    for index, weight in enumerate(list(proto.graph.initializer)):
        if weight.data_type != TensorProto.FLOAT or int(np.prod(weight.dims)) < smallest:
            continue
        values = numpy_helper.to_array(weight)
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        stored = numpy_helper.from_array(values.astype(np.float16), weight.name + ".half")
        casts.append(helper.make_node("Cast", [stored.name], [weight.name], to=TensorProto.FLOAT))
        proto.graph.initializer[index].CopyFrom(stored)
    nodes = casts + list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def image_metadata(role: str, size: str, resize: str, **others: str) -> dict[str, str]:
    """Metadata of a network that sees RGB, 0-1, less ImageNet's mean over its deviation. Underscores stand for points."""
    return {
        "tamperscope.role": role, "input.layout": "NCHW", "input.color": "RGB", "input.range": "0-1",
        "input.mean": ",".join(map(str, MEAN)), "input.std": ",".join(map(str, STD)),
        "input.size": size, "input.resize": resize, **{key.replace("_", "."): text for key, text in others.items()},
    }
