"""Error levels against the pipeline's own fixtures, and the layouts of public data sets."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data import layouts
from training.data.error_levels import ErrorLevels
from training.data.samples import MaskRule, split

FIXTURES = Path(__file__).parents[2] / "Tests" / "Fixtures" / "images" / "error-levels.json"


def test_error_levels_are_the_pipelines() -> None:
    cases = 0
    for picture in json.loads(FIXTURES.read_text()):
        shape = picture["height"], picture["width"], 3
        image = np.frombuffer(base64.b64decode(picture["rgb"]), np.uint8).reshape(shape)
        for case in picture["cases"]:
            expected = np.frombuffer(base64.b64decode(case["differences"]), np.int8).reshape(shape)
            assert np.array_equal(ErrorLevels(case["quality"], case["subsampling"]).of(image), expected)
            cases += 1
    assert cases == 12


def write(path: Path, value: int | np.ndarray = 0, size: tuple[int, int] = (8, 6)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full(size[::-1], value, np.uint8) if isinstance(value, int) else value
    Image.fromarray(pixels).save(path)


PATHS = {
    "casia1": ["Tp/Sp/Sp_1.png", "Sp/Sp_1_gt.png", "Tp/CM/CM_2.png", "CM/CM_2_gt.png", "Au/Au_1.png"],
    "columbia": ["4cam_splc/a.tif", "edgemask/a_edgemask.jpg", "4cam_auth/b.tif"],
    "coverage": ["image/1.tif", "image/1t.tif", "mask/1forged.tif"],
    "imd2020": ["x/x_orig.jpg", "x/y.jpg", "x/y_mask.png"],
    "cocoglide": ["real/1.png", "fake/glide_1.png", "mask/glide_1_mask.png"],
    "dso1": ["DSO-1/splicing-01.png", "DSO-1/normal-02.png", "DSO-1-Fake-Images-Masks/splicing-01.png"],
    "korus": ["Nikon/tampered-realistic/1.TIF", "Nikon/ground-truth/1.PNG", "Nikon/pristine/2.TIF"],
    "folder": ["images/1.jpg", "masks/1.png", "authentic/2.jpg"],
}


@pytest.mark.parametrize("layout", PATHS)
def test_layouts_are_detected_and_masks_pair_by_stem(layout: str, tmp_path: Path) -> None:
    for path in PATHS[layout]:
        write(tmp_path / path, 255)
    data = layouts.read(tmp_path)
    assert data.layout == layout
    assert not data.skipped
    tampered = [sample for sample in data.samples if sample.tampered]
    assert len(tampered) == (2 if layout == "casia1" else 1)
    assert all(sample.mask is not None and sample.mask.is_file() for sample in tampered)
    assert len(data.samples) == len(tampered) + 1


def test_nist16_is_black_where_it_is_manipulated(tmp_path: Path) -> None:
    write(tmp_path / "probe/1.jpg")
    write(tmp_path / "world/2.jpg")
    mask = np.full((6, 8), 255, np.uint8)
    mask[0] = 0
    write(tmp_path / "reference/manipulation/1.png", mask)
    (tmp_path / "reference/manipulation/NC2016-manipulation-ref.csv").write_text(
        "TaskID|ProbeFileName|ProbeMaskFileName|IsTarget\n"
        "m|probe/1.jpg|reference/manipulation/1.png|Y\nm|world/2.jpg||N\n")
    data = layouts.read(tmp_path)
    assert [sample.tampered for sample in data.samples] == [True, False]
    loaded = data.samples[0].load_mask(16, 12)
    assert loaded[:2].all() and not loaded[2:].any()


@pytest.mark.parametrize("ending, text", [
    ("json", '[["a.png", "m.png"], ["b.png", "Negative"], ["c.png", "Negative"]]'),
    ("csv", "image,mask\na.png,m.png\nb.png,\nc.png,Negative\n"),
    ("txt", "a.png m.png 1\nb.png Negative 0\nc.png - 0\n"),
])
def test_lists(ending: str, text: str, tmp_path: Path) -> None:
    for name in ("a", "b", "m"):
        write(tmp_path / f"{name}.png")
    listed = tmp_path / f"list.{ending}"
    listed.write_text(text)
    data = layouts.read(listed)
    assert [(s.image.name, s.mask and s.mask.name, s.tampered) for s in data.samples] == [
        ("a.png", "m.png", True), ("b.png", None, False)]
    assert [path.name for path, _ in data.skipped] == ["c.png"]


def test_a_photograph_without_a_mask_is_skipped_with_the_reason(dataset: Path) -> None:
    (dataset / "Gt" / "Tp_0_gt.png").unlink()
    data = layouts.read(dataset)
    assert [(path.name, reason) for path, reason in data.skipped] == [("Tp_0.jpg", "no mask has its stem")]


def test_an_unknown_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(layouts.LayoutError):
        layouts.read(tmp_path)
    with pytest.raises(layouts.LayoutError):
        layouts.read(tmp_path, "nonesuch")


def test_the_green_channel_alone_may_count(tmp_path: Path) -> None:
    pixels = np.zeros((1, 2, 3), np.uint8)
    pixels[0, 0] = (255, 0, 255)
    pixels[0, 1] = (0, 130, 0)
    Image.fromarray(pixels).save(tmp_path / "m.png")
    assert MaskRule(120, green=True).read(tmp_path / "m.png").tolist() == [[False, True]]


def test_a_split_depends_on_the_seed_alone(dataset: Path) -> None:
    samples = layouts.read(dataset).samples
    first, second = split(samples, 0.25, 1), split(samples[::-1], 0.25, 1)
    assert first == second
    assert len(first[1]) == 2 and not set(first[0]) & set(first[1])
