"""Photographs as a backbone that stays as it is sees them, kept in memory."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.photos.pool import Photo, shares
from training.semantic.model import CLASSES, Segmenter


def pixels(image: Image.Image, side: int) -> Tensor:
    """The input `[3, side, side]`: stretched, -1 ... 1."""
    values = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), np.float32) / 127.5 - 1
    return torch.from_numpy(values).permute(2, 0, 1).contiguous()


SMALLEST = 0.003
"""The share of a photograph from which a class counts as seen there."""


def balanced(pool: list[Photo]) -> tuple[list[float], Tensor]:
    """How often to draw each photograph, and how much each class weighs in the loss, so that rare classes are learned.

    Half of a photograph's share is its collection's, half comes from the classes that the teacher sees in it, each of
    which gives as much as the others in all. A class weighs with the inverse root of its area, 1 to 20.
    """
    counts = np.stack([np.bincount(photo.teacher()[0].ravel(), minlength=len(CLASSES)) for photo in pool]).astype(float)
    counts /= counts.sum(1, keepdims=True)
    seen = counts >= SMALLEST
    by_class = (seen / np.maximum(seen.sum(0), 3)).sum(1)
    by_source = np.asarray(shares(pool))
    areas = counts.mean(0)
    weights = np.sqrt(areas[0] / np.maximum(areas, 1e-9)).clip(1, 20)
    return (by_class / by_class.sum() + by_source / by_source.sum()).tolist(), torch.from_numpy(weights).float()


class TaughtFeatures:
    """Endless batches of the features that a segmenter's heads read, with the teacher's logits `[N, 21, 65, 65]`.

    What the backbone makes of a photograph, about a megabyte, is kept in bfloat16 until `capacity` photographs are
    held; of later ones it is computed each time.
    """

    def __init__(self, model: Segmenter, pool: list[Photo], batch: int, seed: int, capacity: int = 6000) -> None:
        self.model, self.pool, self.batch, self.capacity = model, pool, batch, capacity
        self.shares, self.weights = balanced(pool)
        self.draw = random.Random(seed)
        self.kept: dict[int, tuple[Tensor, ...]] = {}

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        places = range(len(self.pool))
        while True:
            views = [self._view(place) for place in self.draw.choices(places, self.shares, k=self.batch)]
            fine, last, logits = (torch.stack(part).float() for part in zip(*views, strict=True))
            yield fine, last, logits

    @torch.no_grad()
    def _view(self, place: int) -> tuple[Tensor, ...]:
        if (view := self.kept.get(place)) is not None:
            return view
        photo = self.pool[place]
        device = next(self.model.parameters()).device
        x = pixels(photo.load(), self.model.side)[None].to(device)
        with torch.autocast(device.type, torch.bfloat16):
            features = self.model.features(x.contiguous(memory_format=torch.channels_last))
        logits = torch.from_numpy(photo.teacher()[1]).to(device)
        view = *(feature[0].bfloat16() for feature in features), logits.half()
        if len(self.kept) < self.capacity:
            self.kept[place] = view
        return view
