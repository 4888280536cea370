"""Image and pixel figures of a WCBnet on a data set."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F

from training.common import measures
from training.data.error_levels import ErrorLevels
from training.data.samples import Sample
from training.wcbnet.data import Scale, network_input
from training.wcbnet.model import WCBnet, fused


@torch.no_grad()
def evaluate(model: WCBnet, samples: Iterable[Sample], levels: ErrorLevels, scale: Scale, side: int) -> dict[str, float]:
    """Figures of the image's probability and of each view's and the fused map on manipulated photographs with a mask.

    Maps are scored at the photograph's own size, each min-max normalised; means over photographs.
    """
    model.eval()
    device = next(model.parameters()).device
    logits: list[float] = []
    labels: list[bool] = []
    pixels: dict[str, list[tuple[float, float, float]]] = {}
    for sample in samples:
        image = sample.load()
        x = network_input(image, levels, scale, side)[None].to(device)
        outputs = model(x)
        logits.append(float(torch.stack([logit.mean() for logit in outputs[::2]]).mean()))
        labels.append(sample.tampered)
        if not sample.tampered or sample.mask is None:
            continue
        mask = sample.load_mask(*image.size)
        if mask.all() or not mask.any():
            continue
        activations = model.activations(outputs)
        shown = {f"view {view}": [map_] for view, map_ in zip(model.views, activations, strict=True)}
        if len(activations) > 1:
            shown["fused"] = activations
        for name, maps in shown.items():
            scores = _at_image_size(fused(maps, tuple(x.shape[2:])), image.size, scale)
            figures = (measures.auc(scores, mask), measures.f1(scores >= 0.5, mask), measures.best_f1(scores, mask))
            pixels.setdefault(name, []).append(figures)
    result = {"images": float(len(labels))}
    if any(labels) and not all(labels):
        found = np.array(logits) > 0
        result["image AUC"] = measures.auc(np.array(logits), np.array(labels))
        result["image accuracy"] = float((found == np.array(labels)).mean())
        result["image F1"] = measures.f1(found, np.array(labels))
    for name, rows in pixels.items():
        for title, values in zip(("AUC", "F1@.5", "best F1"), zip(*rows, strict=True), strict=True):
            result[f"{name} {title}"] = float(np.mean(values))
    return result


def _at_image_size(map_: torch.Tensor, size: tuple[int, int], scale: Scale) -> np.ndarray:
    width, height = size
    if scale == "fit":
        map_ = F.interpolate(map_[:, None], (height, width), mode="bilinear", align_corners=False)[:, 0]
    return map_[0, :height, :width].cpu().numpy()
