"""Collections of photographs, cut-outs, synthetic manipulations."""

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from training.data import layouts
from training.photos import __main__ as command
from training.photos.compose import Cutout, blob, geometric, paste, region, whole
from training.photos.manipulation import Generator
from training.photos.pool import GRID, photos, shares


def test_collecting_leaves_out_small_flat_broken_and_repeated_pictures(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    folder = tmp_path / "photos"
    folder.mkdir()
    picture = Image.fromarray(noise.integers(0, 256, (10, 14, 3), np.uint8)).resize((1400, 1000), Image.Resampling.BICUBIC)
    picture.save(folder / "a.jpg")
    picture.save(folder / "b.png")
    Image.new("RGB", (800, 600), (90, 90, 90)).save(folder / "flat.png")
    picture.resize((200, 150)).save(folder / "small.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    found = [name for name, _ in command.usable(folder, None)]
    assert len(found) == 1 and found[0] in "ab"


def test_regions_have_the_grids_size() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8))
    regions = command.regions(picture.resize((900, 600)))
    assert regions.shape == (4, round(GRID * 2 / 3), GRID)
    assert [len(np.unique(scale)) for scale in regions] == sorted((len(np.unique(s)) for s in regions), reverse=True)


def test_the_pool_is_split_by_name(pool: Path) -> None:
    training, validation = photos(pool, held_out=False), photos(pool, held_out=True)
    assert len(training) + len(validation) == 24 and validation
    assert not set(training) & set(validation)


def test_a_large_collection_does_not_drown_a_small_one(tmp_path: Path) -> None:
    for name in ["few-0", *(f"many-{index}" for index in range(16))]:
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    weights = shares(photos(tmp_path, annotated=False))
    assert weights[0] / sum(weights) == pytest.approx(1 / 5)


def test_a_pasted_part_is_where_its_mask_is() -> None:
    background = np.zeros((20, 30, 3), np.uint8)
    mask = np.zeros((20, 30), bool)
    mask[5:9, 10:16] = True
    cutout = Cutout.of(np.full_like(background, 200), mask)
    assert cutout.mask.shape == (4, 6)
    picture, pasted = paste(background, cutout, 2, 3, feather=0)
    assert np.array_equal(pasted, picture[..., 0] == 200)
    assert pasted[2:6, 3:9].all() and pasted.sum() == 24


def test_a_soft_edge_stays_inside() -> None:
    mask = np.ones((16, 16), bool)
    picture, pasted = paste(np.zeros((40, 40, 3), np.uint8), Cutout(np.full((16, 16, 3), 255, np.uint8), mask), 10, 10, 1.5)
    inside = np.zeros((40, 40), bool)
    inside[10:26, 10:26] = True
    assert not picture[~inside].any() and picture[18, 18, 0] == 255
    assert 0 < picture[10, 18, 0] < 255 and pasted[inside].mean() > 0.5


def test_transforms_keep_the_mask_with_the_pixels() -> None:
    pixels = np.zeros((30, 20, 3), np.uint8)
    pixels[:10] = 255
    cutout = Cutout(pixels, pixels[..., 0] > 0)
    for other in (cutout.mirrored(), cutout.resized(1.7), cutout.rotated(90)):
        agree = (other.pixels[..., 0] > 127) == other.mask
        assert agree.mean() > 0.95
    assert cutout.fitted(15, 50).mask.shape[0] <= 15


def test_a_region_is_whole_and_of_the_size_asked_for() -> None:
    labels = np.zeros((40, 40), int)
    labels[:12, :12] = 1
    labels[30:, 30:] = 1
    labels[5, 5] = 2
    mask = region(labels, random.Random(0), 0.05, 0.5)
    assert mask is not None and mask[6, 6] and mask[5, 5] and not mask[35, 35]
    assert region(labels, random.Random(0), 0.2, 0.5) is None


def test_large_holes_stay() -> None:
    mask = np.ones((40, 40), bool)
    mask[10:30, 10:30] = False
    assert not whole(mask)[20, 20]


@pytest.mark.parametrize("shape", [blob, geometric])
def test_shapes_are_never_everything(shape: object) -> None:
    draw = random.Random(1)
    shares_ = [shape(64, 96, draw).mean() for _ in range(40)]
    assert shape(64, 96, draw).shape == (64, 96) and max(shares_) < 0.9 and np.median(shares_) > 0.01


def test_manipulations_have_masks_and_authentic_pictures_none(pool: Path) -> None:
    generator = Generator(photos(pool, held_out=False), 128, seed=1)
    for index in range(12):
        picture = generator.picture(index % 2 == 0)
        assert picture.pixels.shape == picture.compressed().shape == (128, 128, 3)
        assert picture.mask.any() == (index % 2 == 0)


def test_the_same_seed_gives_the_same_pictures(pool: Path) -> None:
    first, second = (Generator(photos(pool, held_out=False), 96, seed=5).picture(True) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels) and np.array_equal(first.mask, second.mask)


def test_manipulate_writes_a_data_set(pool: Path, tmp_path: Path) -> None:
    command.main(["manipulate", str(pool), str(tmp_path / "out"), "--count", "6", "--side", "96", "--training"])
    data = layouts.read(tmp_path / "out")
    assert sorted(sample.tampered for sample in data.samples) == [False] * 3 + [True] * 3
    tampered = next(sample for sample in data.samples if sample.tampered)
    assert tampered.load_mask(96, 96).any()


def test_a_pair_differs_where_something_was_pasted_only(pool: Path) -> None:
    generator = Generator(photos(pool, held_out=False), 128, seed=2)
    for _ in range(6):
        before, after = generator.pair()
        assert before.quality == after.quality and not before.mask.any() and after.mask.any()
        changed = (before.pixels != after.pixels).any(2)
        # A soft edge changes a few pixels that still belong mostly to the background.
        grown = ndimage.binary_dilation(after.mask, iterations=6)
        assert changed.any() and not changed[~grown].any()
