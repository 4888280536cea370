"""A small data set of folders `Tp`, `Gt` and `Au`, made from noise."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for name in ("Tp", "Gt", "Au"):
        (tmp_path / name).mkdir()
    for index in range(4):
        mask = np.zeros((48, 64), np.uint8)
        mask[8:24, 8 + index:40] = 255
        for folder, ending in (("Tp", "jpg"), ("Au", "png")):
            picture = random.integers(0, 256, (48, 64, 3), np.uint8)
            Image.fromarray(picture).save(tmp_path / folder / f"{folder}_{index}.{ending}")
        Image.fromarray(mask).save(tmp_path / "Gt" / f"Tp_{index}_gt.png")
    return tmp_path
