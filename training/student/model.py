"""Memory-guided gated fusion on a backbone of four scales."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from training.backbones.mobilenet import MobileNetV2
from training.common.export import MEAN, STD
from training.wcbnet.tiny import TinyBlocks, convolution


class TinyViT(nn.Module):
    """TinyViT-5M's four scales: 64, 128, 160 and 320 channels at strides 4, 8, 16 and 32."""

    channels = (64, 128, 160, 320)

    def __init__(self) -> None:
        super().__init__()
        self.net = timm.create_model("tiny_vit_5m_224", features_only=True, pretrained=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.net(x)


class TinyConvolutions(nn.Module):
    """Four scales of a small residual network, for two cores."""

    channels = (32, 64, 128, 224)

    def __init__(self) -> None:
        super().__init__()
        self.net = TinyBlocks((24, *self.channels), (1, 2, 2, 3, 2))

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.net(x)[1:]


class MobileScales(nn.Module):
    """MobileNetV2's four scales: 24, 32, 96 and 320 channels at strides 4, 8, 16 and 32; begins as a trained DeepLab's."""

    channels = (24, 32, 96, 320)

    def __init__(self) -> None:
        super().__init__()
        self.net = MobileNetV2(stride=32)
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(STD).view(3, 1, 1))

    def load_deeplab(self, path: Path) -> None:
        """Takes the backbone of an exported DeepLab."""
        self.net.load_deeplab(path)

    def forward(self, x: Tensor) -> list[Tensor]:
        stages = self.net(2 * (x * self.deviation + self.mean) - 1)
        return [stages[index] for index in (1, 2, 4, 6)]


class PrototypeMemory(nn.Module):
    """Learned prototypes; every place recalls their mean, weighted by the softmax of its cosine similarity to each."""

    def __init__(self, depth: int, count: int) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(count, depth))
        self.query = nn.Conv2d(depth, depth, 1)
        self.sharpness = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        directions = F.normalize(self.prototypes, dim=1)
        similarity = F.conv2d(F.normalize(self.query(x), dim=1), directions[:, :, None, None])
        recall = torch.softmax(similarity * self.sharpness.exp(), 1)
        return F.conv2d(recall, self.prototypes.t()[:, :, None, None])


class GatedFusion(nn.Module):
    """`A = α (A_base ⊙ mean G) + (1 - α) A_mem` at the finest scale's resolution, α learned.

    Every scale is projected to `depth` channels and resized to the finest; `G_i = σ(Conv(F'_i))`,
    `A_base = Σ G_i ⊙ F'_i`, and `A_mem` is what the prototypes recall for `A_base`.
    """

    def __init__(self, channels: Sequence[int], depth: int = 96, prototypes: int = 64) -> None:
        super().__init__()
        self.projections = nn.ModuleList([convolution(count, depth, 1) for count in channels])
        self.gates = nn.ModuleList([nn.Conv2d(depth, depth, 1) for _ in channels])
        self.memory = PrototypeMemory(depth, prototypes)
        self.balance = nn.Parameter(torch.zeros(()))

    def forward(self, scales: list[Tensor]) -> Tensor:
        size = scales[0].shape[-2:]
        projected = [F.interpolate(project(x), size, mode="bilinear", align_corners=False) if index else project(x)
                     for index, (project, x) in enumerate(zip(self.projections, scales, strict=True))]
        gates = [torch.sigmoid(gate(x)) for gate, x in zip(self.gates, projected, strict=True)]
        base = torch.stack([gate * x for gate, x in zip(gates, projected, strict=True)]).sum(0)
        share = torch.sigmoid(self.balance)
        return share * base * torch.stack(gates).mean(0) + (1 - share) * self.memory(base)


class Student(nn.Module):
    """From a photograph `[N, 3, S, S]` (S a multiple of 32) to the logits of its manipulated pixels `[N, 1, S/4, S/4]`."""

    def __init__(self, backbone: nn.Module, depth: int = 96, prototypes: int = 64) -> None:
        super().__init__()
        self.backbone = backbone
        self.fusion = GatedFusion(backbone.channels, depth, prototypes)
        self.refinement = nn.Sequential(
            nn.Conv2d(depth, depth, 3, padding=1, groups=depth, bias=False), convolution(depth, depth, 1),
            nn.Conv2d(depth, depth, 3, padding=1, groups=depth, bias=False), convolution(depth, depth // 2, 1),
            nn.Conv2d(depth // 2, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.refinement(self.fusion(self.backbone(x)))


BACKBONES = {"tinyvit": TinyViT, "tiny": TinyConvolutions, "mobile": MobileScales}


def cost(model: nn.Module, side: int = 224) -> tuple[int, int]:
    """Parameters, and multiply-adds for one photograph (what papers call FLOPs)."""
    model = model.eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.zeros(1, 3, side, side))
    return sum(parameter.numel() for parameter in model.parameters()), counter.get_total_flops() // 2
