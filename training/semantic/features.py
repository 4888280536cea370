"""Photographs as a backbone that stays as it is sees them, kept in memory."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.photos.pool import Photo, shares
from training.semantic.model import Segmenter


def pixels(image: Image.Image, side: int) -> Tensor:
    """The input `[3, side, side]`: stretched, -1 ... 1."""
    values = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), np.float32) / 127.5 - 1
    return torch.from_numpy(values).permute(2, 0, 1).contiguous()


class TaughtFeatures:
    """Endless batches of the features that a segmenter's heads read, with the teacher's logits `[N, 21, 65, 65]`.

    What the backbone makes of a photograph, about a megabyte, is kept in half precision until `capacity` photographs are
    held; of later ones it is computed each time.
    """

    def __init__(self, model: Segmenter, pool: list[Photo], batch: int, seed: int, capacity: int = 6000) -> None:
        self.model, self.pool, self.shares, self.batch, self.capacity = model, pool, shares(pool), batch, capacity
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
        view = *(feature[0].half() for feature in features), logits.half()
        if len(self.kept) < self.capacity:
            self.kept[place] = view
        return view
