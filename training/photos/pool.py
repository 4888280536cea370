"""A folder of pristine photographs with what was computed for each of them once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

GRID = 256
"""The longest side of region and class maps."""
SCALES = (60, 200, 500, 1200)
"""Observation scales of the graph-based segmentation, fine to coarse."""


@dataclass(frozen=True)
class Photo:
    """A photograph of the pool: `NAME.png`, and `NAME.npz` once it is annotated."""

    path: Path

    @property
    def held_out(self) -> bool:
        """Whether the photograph is kept for validation: one in twelve, by its name's hash."""
        return hashlib.sha256(self.path.stem.encode()).digest()[0] % 12 == 0

    @property
    def source(self) -> str:
        """The collection that the photograph comes from: its name's first word."""
        return self.path.stem.partition("-")[0]

    def load(self) -> Image.Image:
        """The photograph in RGB."""
        with Image.open(self.path) as file:
            return file.convert("RGB")

    def regions(self) -> np.ndarray:
        """Region numbers at each of `SCALES`: `[scales, h, w]` int32, longest side `GRID`."""
        with np.load(self.path.with_suffix(".npz")) as file:
            return file["regions"].astype(np.int32)

    def teacher(self) -> tuple[np.ndarray, np.ndarray]:
        """The teacher's classes `[h, w]` uint8 at the regions' size, and its logits `[21, 65, 65]` before enlargement."""
        with np.load(self.path.with_suffix(".npz")) as file:
            return file["classes"], file["logits"].astype(np.float32)


def photos(folder: Path, held_out: bool | None = None, annotated: bool = True) -> list[Photo]:
    """The pool's photographs in the order of their names; those kept for validation, the others, or all."""
    found = (Photo(path) for path in sorted(folder.glob("*.png")))
    return [photo for photo in found if (held_out is None or photo.held_out == held_out)
            and (not annotated or photo.path.with_suffix(".npz").is_file())]


def grid_size(width: int, height: int) -> tuple[int, int]:
    """Columns and rows of region and class maps."""
    scale = GRID / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def shares(photos: Sequence[Photo]) -> list[float]:
    """How often to draw each photograph: a collection's share grows with the square root of its size."""
    sizes = Counter(photo.source for photo in photos)
    return [sizes[photo.source] ** -0.5 for photo in photos]
