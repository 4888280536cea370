"""Photographs with a spliced or copied part and an exact mask, and authentic ones with the same histories."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from scipy import ndimage

from training.photos.compose import Cutout, blob, geometric, paste, region
from training.photos.pool import Photo, shares

FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class Manipulated:
    """A picture `[S, S, 3]` uint8 as its last editor had it, before the last compression, and what was pasted, `[S, S]`."""

    pixels: np.ndarray
    mask: np.ndarray
    quality: int | None
    """The quality of the last compression; None for a file without loss."""

    def compressed(self) -> np.ndarray:
        """The pixels as they are found in the file."""
        return self.pixels if self.quality is None else jpeg(self.pixels, self.quality, 2)


def jpeg(pixels: np.ndarray, quality: int, subsampling: int) -> np.ndarray:
    """Through a JPEG and back; `subsampling` is Pillow's 0 (4:4:4), 1 (4:2:2) or 2 (4:2:0)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer))


def past(pixels: np.ndarray, draw: random.Random) -> np.ndarray:
    """What a camera and the web did before: no compression, one, or two, perhaps off the grid of the next."""
    for _ in range(draw.choices((0, 1, 2), (3, 10, 7))[0]):
        pixels = jpeg(pixels, draw.randint(60, 98), draw.choice((0, 2)))
    return pixels


class Generator:
    """Draws manipulated and authentic pictures from a pool.

    Args:
        photos: those with annotations.
        side: of the pictures, in pixels.
    """

    def __init__(self, photos: Sequence[Photo], side: int, seed: int) -> None:
        self.photos, self.shares, self.side = list(photos), shares(photos), side
        self.draw = random.Random(seed)

    def picture(self, tampered: bool) -> Manipulated:
        """The next picture. Histories and the final quality are drawn alike for both classes."""
        background, regions = self._background()
        return self._manipulated(background, regions) if tampered else self._finished(background)

    def pair(self) -> tuple[Manipulated, Manipulated]:
        """The next picture as it was, and with a manipulation; one history, one final quality."""
        background, regions = self._background()
        tampered = self._manipulated(background, regions)
        return replace(tampered, pixels=background, mask=np.zeros_like(tampered.mask)), tampered

    def _background(self) -> tuple[np.ndarray, np.ndarray]:
        pixels, regions = self._crop()
        return past(pixels, self.draw), regions

    def _manipulated(self, background: np.ndarray, regions: np.ndarray) -> Manipulated:
        while True:
            pixels, mask = self._pasted(background, regions)
            if mask.any():
                return self._finished(pixels, mask)

    def _finished(self, pixels: np.ndarray, mask: np.ndarray | None = None) -> Manipulated:
        quality = self.draw.randint(60, 100) if self.draw.random() < 0.75 else None
        return Manipulated(pixels, np.zeros(pixels.shape[:2], bool) if mask is None else mask, quality)

    def _crop(self) -> tuple[np.ndarray, np.ndarray]:
        """A random part of a photograph, shrunk at random, with its regions `[scales, S, S]`."""
        photo, draw, side = self.draw.choices(self.photos, self.shares)[0], self.draw, self.side
        image, regions = photo.load(), photo.regions()
        shortest = min(image.size)
        length = min(shortest, int(side / draw.uniform(min(1.0, side / shortest), 1.0)))
        left, top = (draw.randint(0, extent - length) for extent in image.size)
        part = image.crop((left, top, left + length, top + length))
        if length != side:
            part = part.resize((side, side), draw.choice(FILTERS))
        rows, columns = (
            np.minimum(((np.arange(side) + 0.5) * length / side + start) * count / extent, count - 1).astype(int)
            for start, count, extent in ((top, regions.shape[1], image.height), (left, regions.shape[2], image.width)))
        pixels, regions = np.asarray(part), regions[:, rows[:, None], columns]
        return (pixels[:, ::-1], regions[..., ::-1]) if draw.random() < 0.5 else (pixels, regions)

    def _pasted(self, background: np.ndarray, regions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        draw, side = self.draw, self.side
        copied = draw.random() < 0.4
        source, shapes = (background, regions) if copied else self._crop()
        if not copied:
            source = past(source, draw)
        mask = self._shape(shapes)
        if not 0.008 < mask.mean() < 0.4:
            return background, np.zeros_like(mask)
        cutout = self._edited(Cutout.of(source, mask)).fitted(side, side)
        height, width = cutout.mask.shape
        rows, columns = np.argwhere(mask).min(0)
        for _ in range(10):
            top, left = draw.randint(0, side - height), draw.randint(0, side - width)
            if not copied or abs(top - rows) + abs(left - columns) > 0.15 * side:
                break
        picture, pasted = paste(background, cutout, top, left, draw.choice((0, 0, 0.7, 1.2, 2)))
        return picture, pasted if pasted.mean() > 0.006 else np.zeros_like(pasted)

    def _shape(self, regions: np.ndarray) -> np.ndarray:
        kind = self.draw.random()
        if kind < 0.6:
            mask = region(self.draw.choice(regions[1:]), self.draw, 0.012, 0.35)
            if mask is not None:
                return mask
        return (blob if kind < 0.85 else geometric)(self.side, self.side, self.draw)

    def _edited(self, cutout: Cutout) -> Cutout:
        """What an editor does to a part before it fits: size, angle, colour, softness."""
        draw = self.draw
        if draw.random() < 0.6:
            cutout = cutout.resized(draw.uniform(0.5, 1.6))
        if draw.random() < 0.35:
            cutout = cutout.rotated(draw.uniform(-45, 45))
        if draw.random() < 0.3:
            cutout = cutout.mirrored()
        if draw.random() < 0.4:
            cutout = cutout.recoloured(draw.uniform(0.8, 1.2), draw.uniform(-12, 12))
        if draw.random() < 0.3:
            spread = draw.uniform(0.4, 1.0)
            soft = ndimage.gaussian_filter(cutout.pixels.astype(np.float32), (spread, spread, 0))
            cutout = Cutout(np.clip(soft + 0.5, 0, 255).astype(np.uint8), cutout.mask)
        return cutout
