"""Cutting parts out of photographs and pasting them, with exact masks."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage


@dataclass(frozen=True)
class Cutout:
    """A part of a photograph: `pixels` `[h, w, 3]` uint8, and `mask` `[h, w]` bool of what belongs to it."""

    pixels: np.ndarray
    mask: np.ndarray

    @staticmethod
    def of(pixels: np.ndarray, mask: np.ndarray) -> Cutout:
        """The bounding box of a mask that is not empty, at the photograph's size."""
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = np.s_[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
        return Cutout(pixels[box], mask[box])

    def resized(self, scale: float) -> Cutout:
        """Larger or smaller, bicubic."""
        height, width = (max(4, round(length * scale)) for length in self.mask.shape)
        pixels = Image.fromarray(self.pixels).resize((width, height), Image.Resampling.BICUBIC)
        mask = Image.fromarray(self.mask.astype(np.uint8) * 255).resize((width, height), Image.Resampling.BILINEAR)
        return Cutout(np.asarray(pixels), np.asarray(mask) > 127)

    def rotated(self, degrees: float) -> Cutout:
        """Turned counterclockwise, bicubic."""
        pixels = Image.fromarray(self.pixels).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
        mask = Image.fromarray(self.mask.astype(np.uint8) * 255).rotate(degrees, Image.Resampling.BILINEAR, expand=True)
        return Cutout(np.asarray(pixels), np.asarray(mask) > 127)

    def mirrored(self) -> Cutout:
        """Left and right exchanged."""
        return Cutout(self.pixels[:, ::-1], self.mask[:, ::-1])

    def recoloured(self, gain: float, offset: float) -> Cutout:
        """Contrast and brightness changed."""
        return Cutout(np.clip(self.pixels * gain + offset, 0, 255).astype(np.uint8), self.mask)

    def fitted(self, height: int, width: int) -> Cutout:
        """Shrunk, when it must be, to fit."""
        scale = min(height / self.mask.shape[0], width / self.mask.shape[1])
        return self if scale >= 1 else self.resized(scale * 0.98)


def paste(background: np.ndarray, cutout: Cutout, top: int, left: int, feather: float) -> tuple[np.ndarray, np.ndarray]:
    """The background with a cutout that lies inside it.

    Args:
        feather: standard deviation in pixels of the edge's softness; the edge never reaches outside the cutout.

    Returns:
        The picture, and the mask `[H, W]` of the pixels that come mostly from the cutout.
    """
    height, width = cutout.mask.shape
    alpha = cutout.mask.astype(np.float32)
    if feather > 0:
        alpha = np.minimum(alpha, ndimage.gaussian_filter(np.pad(alpha, 4), feather)[4:-4, 4:-4] * 2 - 1).clip(0)
    result = background.copy()
    window = np.s_[top:top + height, left:left + width]
    below = background[window].astype(np.float32)
    result[window] = np.rint(below + (cutout.pixels - below) * alpha[..., None]).astype(np.uint8)
    mask = np.zeros(background.shape[:2], bool)
    mask[window] = alpha > 0.5
    return result, mask


def region(labels: np.ndarray, draw: random.Random, smallest: float, largest: float) -> np.ndarray | None:
    """One region of a label map, as a mask in one piece without small holes, whose share of the picture lies in a range.

    Args:
        labels: `[h, w]`, at least 0; negative places belong to nothing.
    """
    sizes = np.bincount(labels[labels >= 0].ravel(), minlength=1)
    fitting = np.flatnonzero((sizes >= smallest * labels.size) & (sizes <= largest * labels.size))
    if not len(fitting):
        return None
    return whole(labels == draw.choices(fitting, np.sqrt(sizes[fitting]))[0])


def whole(mask: np.ndarray) -> np.ndarray:
    """The largest piece of a mask, smoothed, holes of up to a twentieth of its size filled."""
    smooth = ndimage.median_filter(mask.astype(np.uint8), 3).astype(bool)
    pieces, count = ndimage.label(smooth)
    if count > 1:
        smooth = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    holes, count = ndimage.label(ndimage.binary_fill_holes(smooth) & ~smooth)
    small = np.bincount(holes.ravel(), minlength=1) <= np.count_nonzero(smooth) / 20
    small[0] = False
    return smooth | small[holes]


def blob(height: int, width: int, draw: random.Random) -> np.ndarray:
    """A round shape with an uneven edge."""
    noise = np.random.default_rng(draw.getrandbits(32)).standard_normal((height // 4 + 1, width // 4 + 1))
    noise = ndimage.zoom(ndimage.gaussian_filter(noise, draw.uniform(5, 14)), 4, order=1)[:height, :width]
    noise = (noise - noise.mean()) / (noise.std() + 1e-9)
    return noise * 0.35 + 1 - _distance(height, width, draw, 0.08, 0.28) > 0


def geometric(height: int, width: int, draw: random.Random) -> np.ndarray:
    """An ellipse or a rectangle at any angle."""
    return _distance(height, width, draw, 0.06, 0.25, draw.choice((2, 8))) < 1


def _distance(height: int, width: int, draw: random.Random, low: float, high: float, power: float = 2) -> np.ndarray:
    """The distance from a random centre, in random units along random axes."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    rows -= draw.uniform(0.2, 0.8) * height
    columns -= draw.uniform(0.2, 0.8) * width
    angle, side = draw.uniform(0, np.pi), min(height, width)
    along = (columns * np.cos(angle) + rows * np.sin(angle)) / (draw.uniform(low, high) * side)
    across = (rows * np.cos(angle) - columns * np.sin(angle)) / (draw.uniform(low, high) * side)
    return (np.abs(along) ** power + np.abs(across) ** power) ** (1 / power)
