"""MobileNetV2 with its normalisation merged into the convolutions, as a trained DeepLab holds it."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

#: Expansion, channels, repetitions and stride of each stage.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution with bias that keeps the size up to its stride."""
    return nn.Conv2d(inputs, outputs, kernel, stride, dilation * (kernel // 2), dilation, groups)


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, linear projection, beside a shortcut where shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, dilation: int) -> None:
        super().__init__()
        width = inputs * expansion
        layers = [convolution(inputs, width, 1), nn.ReLU6()] if expansion > 1 else []
        layers += [convolution(width, width, 3, stride, dilation, width), nn.ReLU6(), convolution(width, outputs, 1)]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.shortcut else self.layers(x)


class MobileNetV2(nn.Module):
    """From RGB in -1 ... 1 to the features of seven stages.

    Args:
        stride: the last features' stride, 8, 16 or 32; stages that would exceed it are dilated instead, so that weights
            trained at one stride serve at another.
    """

    channels = tuple(stage[1] for stage in STAGES)

    def __init__(self, stride: int = 32) -> None:
        super().__init__()
        self.stem = nn.Sequential(convolution(3, 32, 3, 2), nn.ReLU6())
        self.stages = nn.ModuleList()
        inputs, reached, dilation = 32, 2, 1
        for expansion, channels, repetitions, step in STAGES:
            blocks = []
            for index in range(repetitions):
                now, before = (step if index == 0 else 1), dilation
                if now > 1 and reached * now > stride:
                    dilation *= now
                    now = 1
                reached *= now
                blocks.append(InvertedResidual(inputs, channels, expansion, now, before if index == 0 else dilation))
                inputs = channels
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> list[Tensor]:
        outputs = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        return outputs

    def load_deeplab(self, path: Path) -> None:
        """Takes the weights of the same network inside an exported DeepLab, convolution by convolution.

        Raises:
            ValueError: the file's convolutions are not those of a MobileNetV2.
        """
        graph = onnx.load(path).graph
        weights = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
        theirs = [node.input for node in graph.node if node.op_type == "Conv"]
        for own, names in zip((m for m in self.modules() if isinstance(m, nn.Conv2d)), theirs, strict=False):
            weight = torch.from_numpy(weights[names[1]].copy())
            if weight.shape != own.weight.shape or len(names) != 3:
                raise ValueError(f"{path}: {names[1]} is {tuple(weight.shape)}, not {tuple(own.weight.shape)}")
            with torch.no_grad():
                own.weight.copy_(weight)
                own.bias.copy_(torch.from_numpy(weights[names[2]].copy()))
