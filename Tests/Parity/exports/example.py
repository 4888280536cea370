"""What a network is exported with."""
from dataclasses import dataclass, field

import torch
from torch import nn


@dataclass
class Example:
    module: nn.Module
    #: Inputs by name, in the order of `forward`.
    inputs: dict
    #: Names of the outputs; the exporter's own where there are none.
    outputs: list = field(default_factory=list)
    #: Axes of free size, as torch.onnx.export's `dynamic_axes`, and inputs of other sizes to compare on; for the
    #: exporter of opset 17.
    dynamic_axes: dict | None = None
    resized: dict | None = None
    #: Opset of the exporter with torch.export.
    opset: int = 18


def image(*shape):
    return {"input": torch.randn(*shape)}


def randomize(module):
    """Values as after training: statistics that are trivial and parameters that are zero would hide errors."""
    for part in module.modules():
        if getattr(part, "running_mean", None) is not None:
            nn.init.uniform_(part.running_mean, -.2, .2)
            nn.init.uniform_(part.running_var, .6, 1.6)
        if "Norm" in type(part).__name__ and getattr(part, "weight", None) is not None:
            nn.init.uniform_(part.weight, .6, 1.2)
            nn.init.uniform_(part.bias, -.2, .2)
    for name, parameter in module.named_parameters():
        if name.endswith("layer_scale"):
            nn.init.uniform_(parameter, .1, .5)
        elif not parameter.any():
            nn.init.normal_(parameter, std=.02)
