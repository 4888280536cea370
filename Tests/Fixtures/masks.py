#!/usr/bin/env python3
"""Reference values for the tests of masks, from SciPy.

    python3 -m venv venv && venv/bin/pip install numpy scipy
    venv/bin/python Tests/Fixtures/masks.py

Writes masks.json beside itself: for masks made by a formula (`PATTERNS` below, written again in the tests) what
scipy.ndimage.distance_transform_edt finds: the sum of all squared distances, the largest one, and every 997th.
"""
import json, os
import numpy as np
from scipy.ndimage import distance_transform_edt


def noise(x, y, unset):
    """Set but for `unset` pixels of 100000, spread by a hash of the place."""
    return (x * 73856093 ^ y * 19349663) * 2654435761 % 4294967296 % 100000 >= unset


PATTERNS = {
    "noise of 1 in 2": (400, 300, lambda x, y: noise(x, y, 50000)),
    "noise of 1 in 100": (500, 300, lambda x, y: noise(x, y, 1000)),
    "noise of 1 in 3000": (900, 700, lambda x, y: noise(x, y, 33)),
    "noise beside a plain": (1300, 500, lambda x, y: (x > 600) | noise(x, y, 300)),
    "disc": (900, 800, lambda x, y: (x - 450) ** 2 + (y - 390) ** 2 < 380 ** 2),
    "ring": (900, 800, lambda x, y: ((x - 450) ** 2 + (y - 390) ** 2 < 380 ** 2) & ((x - 500) ** 2 + (y - 380) ** 2 > 90 ** 2)),
    "rows of 95": (700, 400, lambda x, y: y % 96 != 0),
    "rows of 97": (700, 400, lambda x, y: y % 98 != 0),
    "columns of 95": (700, 400, lambda x, y: x % 96 != 0),
    "columns of 98": (700, 400, lambda x, y: x % 99 != 0),
    "steps": (800, 600, lambda x, y: y < 40 + x // 50 * 35),
    "everything": (640, 480, lambda x, y: x >= 0),
}

result = []
for name, (width, height, rule) in PATTERNS.items():
    y, x = np.mgrid[:height, :width].astype(np.int64)
    mask = rule(x, y)
    distances = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    squares = np.rint(distances[mask] ** 2).astype(np.int64)
    assert np.abs(np.sqrt(squares) - distances[mask]).max() < 1e-9
    result.append(dict(
        name=name, width=width, height=height, area=int(mask.sum()), sum=int(squares.sum()), largest=int(squares.max()),
        samples=squares[::997].tolist()))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "masks.json"), "w") as file:
    json.dump(result, file, separators=(",", ":"))
