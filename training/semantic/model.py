"""Two heads on a MobileNetV2: atrous spatial pyramid pooling and pyramid pooling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.backbones.mobilenet import MobileNetV2

CLASSES = ("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
           "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor")
WIDTH = 128


def convolution(inputs: int, outputs: int) -> nn.Sequential:
    """1x1 convolution, BatchNorm, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def separable(inputs: int, outputs: int, dilation: int = 1) -> nn.Sequential:
    """Depthwise 3x3 and 1x1 convolution, each with BatchNorm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, padding=dilation, dilation=dilation, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs), nn.ReLU(), convolution(inputs, outputs))


class AtrousPyramid(nn.Module):
    """DeepLabV3's context: 1x1, two dilated convolutions, and the picture's mean."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList([
            convolution(inputs, WIDTH), separable(inputs, WIDTH, 3), separable(inputs, WIDTH, 6)])
        # A mean has one place, over which a batch of one has no variance.
        self.whole = nn.Sequential(nn.Conv2d(inputs, WIDTH, 1), nn.ReLU())
        self.project = convolution(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        whole = self.whole(x.mean((2, 3), keepdim=True)) + torch.zeros_like(x[:, :1])
        return self.project(torch.cat([branch(x) for branch in self.branches] + [whole], 1))


class PyramidPooling(nn.Module):
    """PSPNet's context: means over 1, 4, 9 and 36 parts of the picture. The features' sides must be multiples of 6."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.bins = (1, 2, 3, 6)
        self.branches = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(inputs, WIDTH // 2, 1), nn.ReLU()) for _ in self.bins])
        self.project = convolution(inputs + 4 * (WIDTH // 2), WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        pooled = [branch(F.avg_pool2d(x, (height // bins, width // bins)))
                  for bins, branch in zip(self.bins, self.branches, strict=True)]
        return self.project(torch.cat([x] + [
            F.interpolate(part, (height, width), mode="bilinear", align_corners=False) for part in pooled], 1))


CONTEXTS = {"deeplab": (AtrousPyramid, 513), "pspnet": (PyramidPooling, 473)}


class Segmenter(nn.Module):
    """From RGB in -1 ... 1, `[N, 3, S, S]`, to logits of `CLASSES` `[N, 21, S, S]`; S is `side`.

    Context at a 16th of the side is joined with features at an 8th, where the logits are made.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        context, self.side = CONTEXTS[kind]
        self.backbone = MobileNetV2(stride=16)
        self.context = context(self.backbone.channels[-1])
        self.skip = convolution(self.backbone.channels[2], 48)
        self.joint = separable(WIDTH + 48, WIDTH)
        self.classify = nn.Conv2d(WIDTH, len(CLASSES), 1)

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the heads read: the backbone's features at an 8th and at a 16th of the side."""
        stages = self.backbone(x)
        return stages[2], stages[-1]

    def coarse(self, fine: Tensor, last: Tensor) -> Tensor:
        """Logits at an 8th of the side."""
        fine = self.skip(fine)
        context = F.interpolate(self.context(last), fine.shape[2:], mode="bilinear", align_corners=True)
        return self.classify(self.joint(torch.cat([context, fine], 1)))

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(self.coarse(*self.features(x)), x.shape[2:], mode="bilinear", align_corners=True)
