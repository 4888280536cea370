"""A backbone of five residual blocks for two cores."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, BatchNorm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True))


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class TinyBlocks(nn.Module):
    """Five blocks at strides 2, 4, 8, 16 and 32."""

    def __init__(self, channels: Sequence[int] = (16, 24, 48, 96, 160), depths: Sequence[int] = (1, 1, 2, 2, 1)) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.blocks = nn.ModuleList([convolution(3, channels[0], 5, 2)])
        for before, count, depth in zip(channels, channels[1:], depths[1:]):
            self.blocks.append(nn.Sequential(
                *[Residual(before if i == 0 else count, count, 2 if i == 0 else 1) for i in range(depth)]))

    def forward(self, x: Tensor) -> list[Tensor]:
        outputs = []
        for block in self.blocks:
            x = block(x)
            outputs.append(x)
        return outputs
