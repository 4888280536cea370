"""Measures against scikit-learn's values, worked out once for the same arrays."""

import numpy as np
import pytest

from training.common import measures


def test_auc_counts_ties_as_half() -> None:
    assert measures.auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1])) == pytest.approx(0.875)
    assert np.isnan(measures.auc(np.array([1.0, 2]), np.array([1, 1])))


def test_best_f1_takes_whole_ties() -> None:
    scores, mask = np.array([0.9, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0])
    assert measures.best_f1(scores, mask) == pytest.approx(0.8)


def test_empty_maps() -> None:
    empty = np.zeros(3, bool)
    assert measures.f1(empty, empty) == 0 and measures.iou(empty, empty) == 1


def test_interval_brackets_the_mean() -> None:
    mean, low, high = measures.interval([0.0, 1.0, float("nan"), 0.5, 0.25])
    assert mean == pytest.approx(0.4375) and low < mean < high
