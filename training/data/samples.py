"""A photograph of a data set, whether it was manipulated, and where."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class MaskRule:
    """Which of a mask file's pixels are manipulated."""

    threshold: int = 127
    green: bool = False
    """Whether the green channel is read instead of the luma."""
    black: bool = False
    """Whether the dark pixels are the manipulated ones."""

    def read(self, path: Path) -> np.ndarray:
        """The mask at the file's own size, `[H, W]` bool."""
        with Image.open(path) as file:
            image = file.convert("RGB").getchannel("G") if self.green else file.convert("L")
            above = np.asarray(image) > self.threshold
        return ~above if self.black else above


@dataclass(frozen=True)
class Sample:
    """One photograph; `mask` is None for authentic ones and where a data set has none."""

    image: Path
    tampered: bool
    mask: Path | None = None
    rule: MaskRule = MaskRule()

    def load(self) -> Image.Image:
        """The photograph in RGB."""
        with Image.open(self.image) as file:
            return file.convert("RGB")

    def load_mask(self, width: int, height: int) -> np.ndarray:
        """The mask `[height, width]` bool, by nearest neighbour where its file has another size."""
        if self.mask is None:
            return np.zeros((height, width), bool)
        mask = self.rule.read(self.mask)
        if mask.shape == (height, width):
            return mask
        return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))


@dataclass
class DataSet:
    """What was found in a folder, and what was passed over with the reason."""

    layout: str
    samples: list[Sample] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)


def split(samples: list[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Samples to train on, and to validate on: the same for the same seed."""
    order = sorted(samples, key=lambda sample: str(sample.image))
    random.Random(seed).shuffle(order)
    count = round(share * len(order))
    return order[count:], order[:count]
