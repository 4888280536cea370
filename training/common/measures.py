"""Pixel and image measures of maps against masks; the definitions of the pipeline's evaluation."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve, ties at mid-rank; nan unless both classes are there."""
    labels = labels.ravel().astype(bool)
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(scores.ravel())
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def f1(prediction: np.ndarray, mask: np.ndarray) -> float:
    """Harmonic mean of precision and recall of a binary map; 0 where they do not meet."""
    together = np.count_nonzero(prediction & mask)
    return 2 * together / max(np.count_nonzero(prediction) + np.count_nonzero(mask), 1)


def best_f1(scores: np.ndarray, mask: np.ndarray) -> float:
    """The highest F1 over all thresholds."""
    scores, mask = scores.ravel(), mask.ravel().astype(bool)
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(mask[order])
    last = np.append(np.diff(scores[order]) != 0, True)
    found = np.arange(1, len(scores) + 1)
    return float((2 * hits / (found + mask.sum()))[last].max())


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two binary maps; 1 where both are empty."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0


def interval(values: list[float], seed: int = 0, draws: int = 1000) -> tuple[float, float, float]:
    """Mean of the finite values and its bootstrap 95 % interval."""
    finite = np.array([value for value in values if np.isfinite(value)])
    if not len(finite):
        return (float("nan"),) * 3
    means = np.random.default_rng(seed).choice(finite, (draws, len(finite))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(finite.mean()), float(low), float(high)
