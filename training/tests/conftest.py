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


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Twenty-four pictures of discs with regions and a teacher's classes; some are held out."""
    random = np.random.default_rng(0)
    folder = tmp_path / "pool"
    folder.mkdir()
    rows, columns = np.mgrid[:128, :160]
    for index in range(24):
        disc = np.hypot(rows - random.integers(40, 90), columns - random.integers(40, 120)) < 30
        picture = np.where(disc[..., None], random.integers(0, 256, 3), random.integers(0, 256, 3))
        picture = np.clip(picture + random.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)
        Image.fromarray(np.kron(picture, np.ones((3, 3, 1), np.uint8))).save(folder / f"made-{index}.png")
        grid = np.asarray(Image.fromarray(disc).resize((256, 205), Image.Resampling.NEAREST))
        logits = np.zeros((21, 65, 65), np.float16)
        logits[15] = 8 * np.asarray(Image.fromarray(disc).resize((65, 65), Image.Resampling.NEAREST)) - 4.0
        np.savez(folder / f"made-{index}.npz", regions=np.stack([grid] * 4).astype(np.uint16),
                 classes=grid.astype(np.uint8) * 15, logits=logits)
    return folder


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """A file that holds a MobileNetV2's convolutions in their order."""
    import torch

    from training.backbones.mobilenet import MobileNetV2

    torch.manual_seed(3)
    path = tmp_path / "teacher.onnx"
    torch.onnx.export(MobileNetV2(stride=8).eval(), (torch.zeros(1, 3, 65, 65),), str(path), dynamo=False)
    return path
