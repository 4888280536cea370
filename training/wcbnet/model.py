"""WCBnet's views on a backbone of five blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import resnet50


class ResNet50Blocks(nn.Module):
    """ResNet-50's five blocks, at strides 2, 4, 8, 16 and 32."""

    channels = (64, 256, 512, 1024, 2048)

    def __init__(self) -> None:
        super().__init__()
        net = resnet50(weights=None)
        self.blocks = nn.ModuleList([
            nn.Sequential(net.conv1, net.bn1, net.relu), nn.Sequential(net.maxpool, net.layer1),
            net.layer2, net.layer3, net.layer4,
        ])

    def forward(self, x: Tensor) -> list[Tensor]:
        outputs = []
        for block in self.blocks:
            x = block(x)
            outputs.append(x)
        return outputs


class CrossBlockAttention(nn.Module):
    """All five blocks at one block's resolution, each with a weight from self-attention among the blocks.

    Every block is projected to `depth` channels. The projections' means are five tokens; one head of self-attention
    gives each a weight in (0, 2). The weighted projections, resized to block `view`'s height and width, are
    concatenated: `[N, 5 * depth, H / 2**view, W / 2**view]`. Height and width must be multiples of 32.
    """

    def __init__(self, channels: Sequence[int], view: int, depth: int) -> None:
        super().__init__()
        self.view = view
        self.scale = depth**-0.5
        self.projections = nn.ModuleList([
            nn.Sequential(nn.Conv2d(count, depth, 1, bias=False), nn.BatchNorm2d(depth), nn.ReLU()) for count in channels
        ])
        self.query, self.key, self.value = nn.Linear(depth, depth), nn.Linear(depth, depth), nn.Linear(depth, 1)

    def forward(self, blocks: list[Tensor]) -> Tensor:
        projected = [project(block) for project, block in zip(self.projections, blocks, strict=True)]
        tokens = torch.stack([x.mean((2, 3)) for x in projected], 1)
        attention = torch.softmax(self.query(tokens) @ self.key(tokens).transpose(1, 2) * self.scale, -1)
        weights = 2 * torch.sigmoid(attention @ self.value(tokens))
        return torch.cat([self._resized(x, index + 1) * weights[:, index, :, None, None]
                          for index, x in enumerate(projected)], 1)

    def _resized(self, x: Tensor, block: int) -> Tensor:
        """From one block's resolution to the view's: means when shrinking, bilinear when growing."""
        if block < self.view:
            return F.avg_pool2d(x, 2 ** (self.view - block))
        if block > self.view:
            return F.interpolate(x, scale_factor=float(2 ** (block - self.view)), mode="bilinear", align_corners=False)
        return x


class Gate(nn.Module):
    """Features weighted by how much each place is to count, a gate in (0, 1) divided by its own mean.

    What is weighted is still averaged by the head, so that the closed form holds; the gate is even at first.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(channels, width, 1), nn.ReLU(), nn.Conv2d(width, 1, 1))
        nn.init.zeros_(self.layers[2].weight)
        nn.init.zeros_(self.layers[2].bias)

    def forward(self, features: Tensor) -> Tensor:
        gate = torch.sigmoid(self.layers(features).float())
        return features * (gate / gate.mean((2, 3), keepdim=True))


class LastBlock(nn.Module):
    """The backbone's last block as it is: the plain network that WCBnet is compared with."""

    def forward(self, blocks: list[Tensor]) -> Tensor:
        return blocks[-1]


class WCBnet(nn.Module):
    """Views on one backbone: for each the logit `[N, 1]` and the features `[N, C, h, w]` that it is a mean of.

    A view's logit is one dense layer on the global average of its features, so that Grad-CAM has a closed form.

    Args:
        views: blocks 1 to 5 at whose resolution a view looks; 0 for the plain last block.
        depth: channels that every block is projected to.
        gated: whether a gate says which places count; the paper has none.
    """

    def __init__(self, backbone: nn.Module, views: Sequence[int] = (2, 3, 4), depth: int = 128, gated: bool = False) -> None:
        super().__init__()
        self.views = tuple(views)
        self.normalisation = nn.BatchNorm2d(3)
        self.backbone = backbone
        channels = backbone.channels
        self.attention = nn.ModuleList([
            CrossBlockAttention(channels, view, depth) if view else LastBlock() for view in self.views
        ])
        widths = [5 * depth if view else channels[-1] for view in self.views]
        self.gates = nn.ModuleList([Gate(width, depth) if gated else nn.Identity() for width in widths])
        self.heads = nn.ModuleList([nn.Linear(width, 1) for width in widths])

    @property
    def outputs(self) -> list[str]:
        """The outputs' names, logit and features in turn."""
        return [f"{kind}_{view}" for view in self.views for kind in ("logit", "features")]

    def forward(self, error_levels: Tensor) -> tuple[Tensor, ...]:
        blocks = self.backbone(self.normalisation(error_levels))
        outputs: list[Tensor] = []
        for attention, gate, head in zip(self.attention, self.gates, self.heads, strict=True):
            features = gate(attention(blocks))
            outputs += [head(features.mean((2, 3))), features]
        return tuple(outputs)

    def places(self, outputs: tuple[Tensor, ...]) -> list[Tensor]:
        """What each place `[N, h, w]` of a view adds to its logit, which is their mean."""
        return [(features * head.weight[0, :, None, None]).sum(1) + head.bias
                for head, features in zip(self.heads, outputs[1::2], strict=True)]

    def activations(self, outputs: tuple[Tensor, ...]) -> list[Tensor]:
        """Each view's class activation map `[N, h, w]`: `ReLU(sum over k of w_k F_k)`."""
        return [F.relu((features * head.weight[0, :, None, None]).sum(1))
                for head, features in zip(self.heads, outputs[1::2], strict=True)]


def fused(activations: list[Tensor], size: tuple[int, int], floor: float = 1e-3) -> Tensor:
    """The views' maps, each min-max normalised and enlarged to `size`, as their floored geometric mean `[N, H, W]`."""
    logs = []
    for map_ in activations:
        low, high = map_.amin((1, 2), keepdim=True), map_.amax((1, 2), keepdim=True)
        map_ = (map_ - low) / (high - low).clamp_min(1e-12)
        map_ = F.interpolate(map_[:, None], size, mode="bilinear", align_corners=False)[:, 0]
        logs.append(map_.clamp_min(floor).log())
    return torch.stack(logs).mean(0).exp()
