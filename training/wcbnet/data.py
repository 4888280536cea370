"""Error levels with image labels, from any data set."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset

from training.data.error_levels import ErrorLevels, fitted
from training.data.samples import Sample
from training.photos.manipulation import Generator
from training.photos.pool import Photo

Scale = Literal["fit", "native"]


def tensor(differences: np.ndarray) -> Tensor:
    """`[H, W, 3]` differences as the network's input `[3, H, W]`, divided by 255."""
    return torch.from_numpy(np.ascontiguousarray(differences.transpose(2, 0, 1))).float() / 255


def network_input(image: Image.Image, levels: ErrorLevels, scale: Scale, side: int) -> Tensor:
    """The input for a whole photograph: stretched to `side`, or at its own size reflected up to multiples of 32."""
    if scale == "fit":
        return tensor(levels.of(fitted(image, side)))
    pixels = np.asarray(image)
    below, right = -pixels.shape[0] % 32, -pixels.shape[1] % 32
    return tensor(levels.of(np.pad(pixels, ((0, below), (0, right), (0, 0)), "symmetric")))


class ErrorLevelDataset(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of error levels `[3, side, side]` and label; masks are never read.

    With scale `native` a random crop stands for the photograph, mirrored at its borders where it is smaller. A crop of a
    manipulated photograph may miss the manipulation: choose a side near the photographs' own.
    """

    def __init__(self, samples: Sequence[Sample], levels: ErrorLevels, scale: Scale, side: int) -> None:
        self.samples, self.levels, self.scale, self.side = list(samples), levels, scale, side

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        sample = self.samples[index]
        image = sample.load()
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self.scale == "fit":
            differences = self.levels.of(fitted(image, self.side))
        else:
            differences = self._crop(np.asarray(image))
        return tensor(differences), torch.tensor(float(sample.tampered))

    def _crop(self, pixels: np.ndarray) -> np.ndarray:
        missing = [max(0, self.side - length) for length in pixels.shape[:2]]
        pixels = np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), "symmetric")
        top, left = (random.randint(0, length - self.side) for length in pixels.shape[:2])
        return self.levels.of(pixels)[top:top + self.side, left:left + self.side]


class SyntheticErrorLevels(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless pairs of error levels `[3, side, side]` and label, made from pristine photographs.

    Each authentic picture is followed by itself with a manipulation: only what was pasted tells them apart.
    """

    def __init__(self, photos: Sequence[Photo], levels: ErrorLevels, side: int, seed: int) -> None:
        self.photos, self.levels, self.side, self.seed = photos, levels, side, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        generator = Generator(self.photos, self.side, self.seed)
        while True:
            for label, picture in enumerate(generator.pair()):
                yield tensor(self.levels.of(picture.compressed())), torch.tensor(float(label))
