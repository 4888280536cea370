"""Frames with exact masks, and prompts drawn from the masks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor
from torch.utils.data import IterableDataset

from training.common.export import MEAN, STD
from training.photos.compose import Cutout, paste, region
from training.photos.pool import Photo, shares
from training.sam.decoder import LOW
from training.sam.encoder import FRAME
from training.sam.prompts import BACKGROUND, BOTTOM_RIGHT, FOREGROUND, PADDING, TOP_LEFT

HALF = FRAME // 2
SCALE_SHARES = (1, 2, 3, 4)
"""How often regions of each observation scale are drawn, fine to coarse."""


def frame(pixels: np.ndarray) -> Tensor:
    """A photograph whose longest side is `HALF` as the halved input `[3, HALF, HALF]`, zeros at the right and the bottom."""
    values = (pixels.astype(np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
    result = torch.zeros(3, HALF, HALF)
    result[:, :pixels.shape[0], :pixels.shape[1]] = torch.from_numpy(values).permute(2, 0, 1)
    return result


def at_low(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """A mask of the photograph inside the frame's `LOW` x `LOW` masks; `height` and `width` are the photograph's there."""
    result = np.zeros((LOW, LOW), bool)
    shown = Image.fromarray(mask.astype(np.uint8) * 255).resize((width, height), Image.Resampling.BOX)
    result[:height, :width] = np.asarray(shown) > 127
    return result


class Frames(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless pairs of a halved frame and `masks` masks `[masks, LOW, LOW]` of what it shows.

    Parts of other photographs are pasted into two thirds of them: their masks are exact. Others are regions at several
    scales and the teacher's objects.
    """

    def __init__(self, photos: Sequence[Photo], masks: int, seed: int) -> None:
        self.photos, self.shares, self.masks, self.seed = list(photos), shares(photos), masks, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        draw = random.Random(self.seed)
        while True:
            pixels, masks = self.scene(draw)
            if masks:
                chosen = draw.choices(masks, k=self.masks) if len(masks) < self.masks else masks[:self.masks]
                yield frame(pixels), torch.from_numpy(np.stack(chosen))

    def scene(self, draw: random.Random) -> tuple[np.ndarray, list[np.ndarray]]:
        """A photograph, perhaps with something pasted, and masks at `LOW`, those of pasted parts first."""
        photo = draw.choices(self.photos, self.shares)[0]
        image, regions, classes = photo.load(), photo.regions(), photo.teacher()[0]
        image, regions, classes = _cropped(image, regions, classes.astype(np.int32), draw)
        scale = HALF / max(image.size)
        width, height = (max(8, round(length * scale)) for length in image.size)
        pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
        if draw.random() < 0.5:
            pixels, regions, classes = pixels[:, ::-1], regions[..., ::-1], classes[:, ::-1]
        low = min(LOW, (height + 1) // 2), min(LOW, (width + 1) // 2)
        masks: list[np.ndarray] = []
        covered = np.zeros((LOW, LOW), bool)
        for _ in range(draw.choice((0, 1, 2))):
            cutout = self._cutout(draw, height, width)
            if cutout is None:
                continue
            top, left = draw.randint(0, height - cutout.mask.shape[0]), draw.randint(0, width - cutout.mask.shape[1])
            pixels, mask = paste(pixels, cutout, top, left, draw.choice((0, 0.6, 1.2)))
            mask = at_low(mask, *low)
            masks = [other & ~mask for other in masks] + [mask]
            covered |= mask
        objects, _ = ndimage.label(classes > 0)
        for _ in range(3 * self.masks):
            if len(masks) >= self.masks:
                break
            maps = objects - 1 if draw.random() < 0.25 else regions[draw.choices(range(len(regions)), SCALE_SHARES)[0]]
            mask = region(maps, draw, 0.004, 0.7)
            if mask is not None:
                masks.append(at_low(mask, *low) & ~covered)
        masks = [mask for mask in masks if np.count_nonzero(mask) >= 40]
        draw.shuffle(masks)
        return pixels, masks

    def _cutout(self, draw: random.Random, height: int, width: int) -> Cutout | None:
        donor = draw.choices(self.photos, self.shares)[0]
        classes = donor.teacher()[0]
        maps = ndimage.label(classes > 0)[0] - 1 if classes.any() and draw.random() < 0.5 else draw.choice(
            donor.regions()[1:])
        mask = region(maps, draw, 0.01, 0.5)
        if mask is None or np.count_nonzero(mask) < 50:
            return None
        image = donor.load()
        image.thumbnail((HALF, HALF), Image.Resampling.BILINEAR)
        mask = np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize(image.size, Image.Resampling.BILINEAR)) > 127
        cutout = Cutout.of(np.asarray(image), mask).resized(draw.uniform(0.4, 1.4))
        if draw.random() < 0.5:
            cutout = cutout.mirrored()
        if draw.random() < 0.3:
            cutout = cutout.recoloured(draw.uniform(0.8, 1.2), draw.uniform(-15, 15))
        cutout = cutout.fitted(int(0.8 * height), int(0.8 * width))
        return cutout if np.count_nonzero(cutout.mask) >= 200 else None


def _cropped(image: Image.Image, regions: np.ndarray, classes: np.ndarray, draw: random.Random) -> tuple[
        Image.Image, np.ndarray, np.ndarray]:
    """A random part of 55 to 100 % of each side."""
    share = draw.uniform(0.55, 1) if draw.random() < 0.6 else 1.0
    height, width = classes.shape
    rows, columns = max(8, int(share * height)), max(8, int(share * width))
    top, left = draw.randint(0, height - rows), draw.randint(0, width - columns)
    x, y = image.width / width, image.height / height
    part = image.crop((round(left * x), round(top * y), round((left + columns) * x), round((top + rows) * y)))
    window = np.s_[..., top:top + rows, left:left + columns]
    return part, regions[window], classes[window]


def prompts(masks: Tensor, kind: str, draw: random.Random) -> tuple[Tensor, Tensor]:
    """A prompt for each of some masks.

    Args:
        masks: `[P, LOW, LOW]` bool, none empty.
        kind: `point`, `box`, or `points` for two to four points of both kinds.

    Returns:
        Points `[P, N, 2]` in the frame and labels `[P, N]`.
    """
    rows = [_prompt(mask, kind, draw) for mask in masks.numpy()]
    longest = max(len(row) for row in rows)
    rows = [row + [(0.0, 0.0, PADDING)] * (longest - len(row)) for row in rows]
    values = torch.tensor(rows, dtype=torch.float32)
    return values[..., :2], values[..., 2]


def _prompt(mask: np.ndarray, kind: str, draw: random.Random) -> list[tuple[float, float, int]]:
    unit = FRAME / LOW
    if kind == "box":
        left, top, right, bottom = box(mask)
        spread = [min(20.0, 0.1 * length) for length in (right - left, bottom - top)] * 2
        left, top, right, bottom = (value + draw.uniform(-by, by) for value, by in
                                    zip((left, top, right, bottom), spread, strict=True))
        return [(left, top, TOP_LEFT), (right, bottom, BOTTOM_RIGHT)]
    places = np.argwhere(ndimage.binary_erosion(mask, iterations=2))
    places = places if len(places) else np.argwhere(mask)
    around = np.argwhere(ndimage.binary_dilation(mask, iterations=12) & ~mask)
    result = []
    for index in range(1 if kind == "point" else draw.randint(2, 4)):
        background = index > 0 and len(around) > 0 and draw.random() < 0.5
        row, column = draw.choice(around if background else places)
        result.append(((column + draw.random()) * unit, (row + draw.random()) * unit,
                       BACKGROUND if background else FOREGROUND))
    return result + [(0.0, 0.0, PADDING)]


def box(mask: np.ndarray) -> tuple[float, float, float, float]:
    """Left, top, right and bottom in the frame of a mask at `LOW` that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    unit = FRAME / LOW
    return columns[0] * unit, rows[0] * unit, (columns[-1] + 1) * unit, (rows[-1] + 1) * unit


def innermost(mask: np.ndarray) -> tuple[float, float]:
    """The point in the frame that is deepest inside a mask at `LOW`."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), mask.shape)
    unit = FRAME / LOW
    return (column + 0.5) * unit, (row + 0.5) * unit
