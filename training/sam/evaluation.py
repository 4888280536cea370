"""Mean intersection over union on regions that people drew (BSDS500), from one point and from a box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.io import loadmat
from torch import Tensor

from training.photos.pool import Photo
from training.sam.data import HALF, at_low, box, frame, innermost
from training.sam.decoder import LOW, Decoder
from training.sam.encoder import Encoder
from training.sam.prompts import BOTTOM_RIGHT, FOREGROUND, PADDING, TOP_LEFT

SMALLEST = 0.005
"""Regions under this share of the photograph are left out."""
Case = tuple[np.ndarray, list[np.ndarray]]


def bsds(folder: Path, part: str = "test", limit: int | None = None) -> Iterator[Case]:
    """Photographs `[h, w, 3]`, longest side `HALF`, with the first annotator's regions at `LOW`."""
    for path in sorted((folder / "images" / part).glob("*.jpg"))[:limit]:
        truth = loadmat(folder / "groundTruth" / part / f"{path.stem}.mat")["groundTruth"][0, 0]
        labels = truth["Segmentation"][0, 0].astype(np.int32)
        with Image.open(path) as file:
            yield case(file.convert("RGB"), labels)


def held_out(photos: list[Photo]) -> Iterator[Case]:
    """Photographs of the pool with their coarsest regions."""
    for photo in photos:
        yield case(photo.load(), photo.regions()[-1])


def case(image: Image.Image, labels: np.ndarray) -> Case:
    """A photograph and its regions, scaled into the frame."""
    scale = HALF / max(image.size)
    width, height = (max(8, round(length * scale)) for length in image.size)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    low = min(LOW, (height + 1) // 2), min(LOW, (width + 1) // 2)
    numbers, counts = np.unique(labels, return_counts=True)
    masks = [at_low(labels == number, *low) for number in numbers[counts >= SMALLEST * labels.size]]
    return pixels, [mask for mask in masks if mask.any()]


@torch.no_grad()
def evaluate(encoder: Encoder, decoder: Decoder, cases: Iterator[Case]) -> dict[str, float]:
    """Means over all regions: best of three and best by predicted quality from the innermost point; the box's mask."""
    encoder.eval(), decoder.eval()
    rows: list[tuple[float, ...]] = []
    for pixels, masks in cases:
        if not masks:
            continue
        embedding = encoder.embed(frame(pixels)[None])
        truth = torch.from_numpy(np.stack(masks))
        points = torch.tensor([[innermost(mask), (0, 0)] for mask in masks], dtype=torch.float32)
        logits, quality = _decode(decoder, embedding, points, [FOREGROUND, PADDING])
        three = overlaps(logits[:, 1:], truth)
        chosen = three.gather(1, quality[:, 1:].argmax(1, keepdim=True))[:, 0]
        error = (quality[:, 1:] - three).abs().mean(1)
        boxes = torch.tensor([box(mask) for mask in masks], dtype=torch.float32).unflatten(1, (2, 2))
        logits, _ = _decode(decoder, embedding, boxes, [TOP_LEFT, BOTTOM_RIGHT])
        boxed = overlaps(logits[:, :1], truth)[:, 0]
        rows += zip(three.amax(1).tolist(), chosen.tolist(), boxed.tolist(), error.tolist(), strict=True)
    titles = ("point, best of three", "point, chosen", "box", "quality's error")
    return {"regions": float(len(rows))} | {
        title: float(np.mean(values)) for title, values in zip(titles, zip(*rows, strict=True), strict=True)}


def _decode(decoder: Decoder, embedding: Tensor, points: Tensor, labels: list[int]) -> tuple[Tensor, Tensor]:
    kinds = torch.tensor([labels] * len(points), dtype=torch.float32)
    return decoder(embedding, points, kinds, torch.zeros(len(points), 1, LOW, LOW), torch.zeros(1))


def overlaps(logits: Tensor, truth: Tensor) -> Tensor:
    """Intersections over unions `[P, M]` of masks `[P, M, h, w]`, binarised at 0, with truths `[P, h, w]`."""
    found, truth = logits > 0, truth[:, None]
    return (found & truth).sum((2, 3)) / (found | truth).sum((2, 3)).clamp_min(1)
