"""The small backbone with a second stem that looks at whole JPEG blocks."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.wcbnet.tiny import Residual, TinyBlocks, convolution

BLOCK = 8
"""Side of a JPEG block in pixels."""
LUMINANCE, CHROMINANCE = (0.299, 0.587, 0.114), ((-0.1687, -0.3313, 0.5), (0.5, -0.4187, -0.0813))


def cosines() -> Tensor:
    """The 64 basis functions of the discrete cosine transform, `[64, 8, 8]`, the lower frequencies first."""
    places = torch.arange(BLOCK, dtype=torch.float64) + 0.5
    rows = torch.stack([torch.cos(math.pi / BLOCK * places * k) * math.sqrt((2 if k else 1) / BLOCK) for k in range(BLOCK)])
    basis = torch.einsum("ay,bx->abyx", rows, rows).flatten(0, 1)
    order = sorted(range(BLOCK * BLOCK), key=lambda index: (index // BLOCK + index % BLOCK, index))
    return basis[order].float()


class GridStem(nn.Module):
    """Error levels of each 8x8 block as its frequencies, rectified in both directions, and their mixture.

    The first filters begin as the frequencies of luminance (64) and of the two chrominances (16 each): what earlier
    compressions left shows there, block by block. The stem is zero at first, so that it can join a trained network.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        basis = cosines()
        filters = [torch.tensor(LUMINANCE).view(1, 3, 1, 1) * basis[:, None]]
        filters += [torch.tensor(colour).view(1, 3, 1, 1) * basis[:16, None] for colour in CHROMINANCE]
        filters = torch.cat(filters)
        self.frequencies = nn.Conv2d(3, 2 * len(filters), BLOCK, BLOCK, bias=False)
        with torch.no_grad():
            self.frequencies.weight.copy_(torch.cat([filters, -filters]))
        self.normalisation = nn.BatchNorm2d(2 * len(filters))
        self.mixture = nn.Sequential(
            convolution(2 * len(filters), width, 1), convolution(width, width, 1), Residual(width, width, 1),
            nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        nn.init.zeros_(self.mixture[-1].weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.mixture(F.relu(self.normalisation(self.frequencies(x))))


class GridBlocks(TinyBlocks):
    """`TinyBlocks` whose third block, at the resolution of JPEG's own, also sees the blocks' frequencies."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.stem = GridStem(width, self.channels[2])

    def forward(self, x: Tensor) -> list[Tensor]:
        outputs = []
        grid = self.stem(x)
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index == 2:
                x = x + grid
            outputs.append(x)
        return outputs
