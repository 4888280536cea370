"""Points, boxes and earlier masks as tokens and as maps."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.sam.encoder import FRAME, SEMANTIC

GRID = 64
BACKGROUND, FOREGROUND, TOP_LEFT, BOTTOM_RIGHT, PADDING = 0, 1, 2, 3, -1
SOFTNESS = 8.0
"""Pixels of the frame over which a box's edge fades."""
MAPS = 4
"""Maps of a prompt: foreground points, background points, inside of the box, likeness to the foreground points."""


class PromptEncoder(nn.Module):
    """Prompts as tokens (a random Fourier encoding of the place, the kind of point, and what is seen there) and as maps."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.randn(2, depth // 2))
        self.kinds = nn.Parameter(torch.randn(5, depth) * 0.1)
        self.seen = nn.Linear(SEMANTIC, depth)
        centres = (torch.arange(GRID) + 0.5) * (FRAME / GRID)
        rows, columns = torch.meshgrid(centres, centres, indexing="ij")
        self.register_buffer("centres", torch.stack([columns.flatten(), rows.flatten()], -1))

    def encode(self, points: Tensor) -> Tensor:
        """The encoding `[..., depth]` of places `[..., 2]` in the frame."""
        angles = (points / FRAME * 2 - 1) @ self.frequencies * (2 * math.pi)
        return torch.cat([angles.sin(), angles.cos()], -1)

    def forward(self, semantic: Tensor, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """
        Args:
            semantic: `[B, 128, 64, 64]`; one for each prompt, or one of several prompts each in turn.
            points: `[P, N, 2]` in the frame; P a multiple of B.
            labels: `[P, N]`, see the constants above.

        Returns:
            Tokens `[P, N, depth]` and maps `[P, 4, 64, 64]`.
        """
        points = points + 0.5
        kinds = [(labels == kind).float().unsqueeze(-1) for kind in (PADDING, 0, 1, 2, 3)]
        offsets = points.unsqueeze(2) - self.centres
        near = torch.exp(-offsets.square().sum(-1) / (2 * 16.0**2))
        pixels = semantic.flatten(2)
        seen = _by_image(near / (near.sum(-1, keepdim=True) + 1e-6), pixels.transpose(1, 2))
        real = 1 - kinds[0]
        tokens = (self.encode(points) + self.seen(seen)) * real
        tokens = tokens + sum(weight * self.kinds[index] for index, weight in enumerate(kinds))

        foreground, background = kinds[2], kinds[1]
        maps = [(near * foreground).amax(1), (near * background).amax(1),
                self.inside(points, labels, GRID).flatten(1)]
        likeness = _by_image(F.normalize(seen, dim=-1), F.normalize(pixels, dim=1))
        maps.append((likeness * foreground).sum(1) / (foreground.sum(1) + 1e-6))
        return tokens, torch.stack(maps, 1).unflatten(2, (GRID, GRID))

    def inside(self, points: Tensor, labels: Tensor, side: int) -> Tensor:
        """How far each of `side` x `side` places is inside the box, 0 to 1 `[P, side, side]`; 0 without a box."""
        top_left = (labels == TOP_LEFT).float().unsqueeze(-1)
        low = (points * top_left).sum(1)
        high = (points * (labels == BOTTOM_RIGHT).float().unsqueeze(-1)).sum(1)
        centres = (torch.arange(side, device=points.device) + 0.5) * (FRAME / side)
        columns, rows = (torch.sigmoid((centres - low[:, axis, None]) / SOFTNESS) *
                         torch.sigmoid((high[:, axis, None] - centres) / SOFTNESS) for axis in (0, 1))
        return rows.unsqueeze(2) * columns.unsqueeze(1) * top_left.amax(1, keepdim=True)


def _by_image(prompts: Tensor, image: Tensor) -> Tensor:
    """The product of each prompt's matrix `[P, N, K]` with its image's `[B, K, L]`: `[P, N, L]`."""
    images = image.shape[0]
    grouped = prompts.reshape(images, prompts.shape[0] // images * prompts.shape[1], prompts.shape[2])
    return (grouped @ image).reshape(prompts.shape[0], prompts.shape[1], image.shape[2])
