"""Signed error levels: what a photograph loses when it is saved as a JPEG once more.

The codec is libjpeg through Pillow, which agrees bit for bit with the pipeline's `ErrorLevels`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


@dataclass(frozen=True)
class ErrorLevels:
    """How error levels are taken; travels with a model as `errorLevels.*` in its metadata."""

    quality: int = 90
    subsampling: str = "4:2:0"

    def of(self, image: np.ndarray) -> np.ndarray:
        """`image - decode(encode(image))`.

        Args:
            image: `[H, W, 3]` uint8, RGB.

        Returns:
            `[H, W, 3]` int16 in -255 ... 255; networks see it divided by 255.
        """
        return image.astype(np.int16) - recompressed(image, self.quality, self.subsampling)


def recompressed(image: np.ndarray, quality: int, subsampling: str = "4:2:0") -> np.ndarray:
    """The image, `[H, W, 3]` uint8, after a JPEG encoder and decoder."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=SUBSAMPLING[subsampling])
    return np.asarray(Image.open(buffer).convert("RGB"))


def fitted(image: Image.Image, side: int) -> np.ndarray:
    """The image stretched to `side` x `side` before its error levels are taken: the scale `fit`."""
    return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
