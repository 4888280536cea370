"""The encoder: a MobileNetV2 at half resolution and a neck that keeps edges."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.backbones.mobilenet import MobileNetV2
from training.common.export import MEAN, STD

FRAME = 1024
"""Side of the frame that a photograph is scaled into, and of the prompts' coordinates."""
SEMANTIC, DETAIL, FINE = 128, 16, 4
"""Channels at a 16th, an 8th and a quarter of the frame that an embedding holds: 128 + 4·16 + 16·4 = 256."""


class SeparableBlock(nn.Module):
    """A depthwise 5x5 and two 1x1 convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False), nn.BatchNorm2d(channels),
            nn.Conv2d(channels, 2 * channels, 1), nn.ReLU(), nn.Conv2d(2 * channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        # In bfloat16 this convolution's gradient takes four times as long on a CPU.
        with torch.autocast(x.device.type, enabled=False):
            near = self.layers[0](x.float())
        return x + self.layers[1:](near)


class Encoder(nn.Module):
    """From normalised RGB `[N, 3, 1024, 1024]` to embeddings `[N, 256, 64, 64]`.

    The first 128 channels say what is where; the others are features at 128² and 256², folded, from which the decoder
    draws edges.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone = MobileNetV2(stride=16)
        self.register_buffer("scale", torch.tensor(STD).view(1, 3, 1, 1) * 2)
        self.register_buffer("offset", torch.tensor(MEAN).view(1, 3, 1, 1) * 2 - 1)
        self.from_last = nn.Conv2d(320, SEMANTIC, 1)
        self.from_middle = nn.Conv2d(96, SEMANTIC, 1)
        self.from_eighth = nn.Conv2d(32, SEMANTIC, 1)
        self.from_quarter = nn.Conv2d(24, SEMANTIC, 2, 2)
        self.coarse = nn.Sequential(SeparableBlock(SEMANTIC), SeparableBlock(SEMANTIC), SeparableBlock(SEMANTIC))
        self.medium = nn.Sequential(SeparableBlock(SEMANTIC), SeparableBlock(SEMANTIC), nn.BatchNorm2d(SEMANTIC))
        self.detail = nn.Conv2d(24, DETAIL, 3, padding=1)
        self.fine = nn.Conv2d(16, FINE, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return self.embed(F.avg_pool2d(image, 2))

    def embed(self, half: Tensor) -> Tensor:
        """The embeddings of a frame that was halved already, `[N, 3, 512, 512]`."""
        features = self.backbone(half * self.scale + self.offset)
        coarse = self.coarse(self.from_last(features[6]) + self.from_middle(features[4]))
        medium = F.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        medium = self.medium(medium + self.from_eighth(features[2]) + self.from_quarter(features[1]))
        return torch.cat([medium, F.pixel_unshuffle(self.detail(features[1]), 2),
                          F.pixel_unshuffle(self.fine(features[0]), 4)], 1)
