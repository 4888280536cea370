"""Readers of the public data sets' folder layouts. Masks pair with photographs by stem, never by order."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from training.data.samples import DataSet, MaskRule, Sample

IMAGES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"}
MASK_ENDINGS = ("_gt", "_edgemask", "_mask", "forged")
FOLDER_MASKS = ("Gt", "GT", "gt", "groundtruth", "Groundtruth", "CASIA 2 Groundtruth", "CASIA2 Groundtruth")


class LayoutError(ValueError):
    """A folder or list is not of the layout asked for, or of none that is known."""


def read(root: Path, layout: str | None = None) -> DataSet:
    """Reads a data set.

    Args:
        root: a folder, or a list (`.json`, `.csv`, `.txt`).
        layout: a key of `LAYOUTS`; None to detect it.

    Raises:
        LayoutError: nothing is there that any layout, or the named one, can read.
    """
    root = Path(root)
    if layout is not None and layout not in LAYOUTS:
        raise LayoutError(f"there is no layout {layout!r}; layouts are {', '.join(LAYOUTS)}")
    for name in [layout] if layout else LAYOUTS:
        data = DataSet(name)
        LAYOUTS[name](root, data)
        if data.samples:
            return data
    raise LayoutError(f"{root}: nothing of the layout {layout or ' or '.join(LAYOUTS)} is there")


def _files(folder: Path, deep: bool = False) -> Iterator[Path]:
    if folder.is_dir():
        found = folder.rglob("*") if deep else folder.iterdir()
        yield from sorted(path for path in found if path.suffix.lower() in IMAGES and path.is_file())


def stem(path: Path) -> str:
    """The name that a mask shares with its photograph."""
    name = path.stem
    for ending in MASK_ENDINGS:
        name = name.removesuffix(ending)
    return name


def _pair(data: DataSet, images: Iterator[Path], masks: Iterator[Path], rule: MaskRule = MaskRule()) -> None:
    by_stem: dict[str, Path] = {}
    for mask in masks:
        by_stem.setdefault(stem(mask), mask)
    for image in images:
        mask = by_stem.get(image.stem)
        if mask is None:
            data.skipped.append((image, "no mask has its stem"))
        else:
            data.samples.append(Sample(image, True, mask, rule))


def _authentic(data: DataSet, images: Iterator[Path]) -> None:
    data.samples += [Sample(image, False) for image in images]


def _casia1(root: Path, data: DataSet) -> None:
    for base in (root / "Tp", root / "Modified Tp" / "Tp"):
        for kind in ("CM", "Sp"):
            if (base / kind).is_dir():
                masks = [f for part in root.rglob(kind) if base not in part.parents for f in _files(part)]
                _pair(data, _files(base / kind), iter(masks), MaskRule(threshold=0))
    if data.samples:
        _authentic(data, _files(root / "Au"))


def _columbia(root: Path, data: DataSet) -> None:
    masks = [*_files(root / "edgemask"), *_files(root / "4cam_splc" / "edgemask")]
    _pair(data, _files(root / "4cam_splc"), iter(masks), MaskRule(threshold=120, green=True))
    _authentic(data, _files(root / "4cam_auth"))


def _coverage(root: Path, data: DataSet) -> None:
    masks = {stem(path): path for path in _files(root / "mask") if path.stem.endswith("forged")}
    if not masks:
        return
    for image in _files(root / "image"):
        if not image.stem.endswith("t"):
            data.samples.append(Sample(image, False))
        elif image.stem[:-1] in masks:
            data.samples.append(Sample(image, True, masks[image.stem[:-1]]))
        else:
            data.skipped.append((image, "no mask has its number"))


def _nist16(root: Path, data: DataSet) -> None:
    tables = sorted((root / "reference" / "manipulation").glob("*-ref.csv"))
    for table in tables:
        with table.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="|"):
                image = root / row["ProbeFileName"]
                if row.get("IsTarget") != "Y":
                    data.samples.append(Sample(image, False))
                    continue
                mask = root / (row.get("ProbeMaskFileName") or "?")
                if mask.is_file():
                    data.samples.append(Sample(image, True, mask, MaskRule(black=True)))
                else:
                    data.skipped.append((image, "its mask is missing"))


def _imd2020(root: Path, data: DataSet) -> None:
    files = list(_files(root, deep=True))
    if not any(path.stem.endswith("_orig") for path in files):
        return
    masks = [path for path in files if path.stem.endswith("_mask")]
    others = [path for path in files if not path.stem.endswith("_mask")]
    for folder in sorted({path.parent for path in others}):
        own = [path for path in others if path.parent == folder]
        _authentic(data, (path for path in own if path.stem.endswith("_orig")))
        tampered = (path for path in own if not path.stem.endswith("_orig"))
        _pair(data, tampered, (path for path in masks if path.parent == folder))


def _cocoglide(root: Path, data: DataSet) -> None:
    _pair(data, _files(root / "fake"), _files(root / "mask"))
    if data.samples:
        _authentic(data, _files(root / "real"))


def _dso1(root: Path, data: DataSet) -> None:
    images = list(_files(root, deep=True))
    masks = [path for path in images if path.parent.name == "DSO-1-Fake-Images-Masks"]
    if masks:
        photos = [path for path in images if path.parent.name != "DSO-1-Fake-Images-Masks"]
        _pair(data, (p for p in photos if p.stem.startswith("splicing-")), iter(masks), MaskRule(black=True))
        _authentic(data, (path for path in photos if path.stem.startswith("normal-")))


def _korus(root: Path, data: DataSet) -> None:
    for camera in sorted(path.parent for path in root.glob("*/tampered-realistic")):
        _pair(data, _files(camera / "tampered-realistic"), _files(camera / "ground-truth"), MaskRule(threshold=10))
        _authentic(data, _files(camera / "pristine"))


def _folder(root: Path, data: DataSet) -> None:
    for images, masks, authentic in (("Tp", FOLDER_MASKS, "Au"), ("images", ("masks",), "authentic")):
        found = [file for name in masks for file in _files(root / name, deep=True)]
        if found:
            _pair(data, _files(root / images), iter(found))
        if found or (root / images).is_dir():
            _authentic(data, _files(root / authentic))


def _list(root: Path, data: DataSet) -> None:
    if not root.is_file():
        return
    for image, mask, tampered in _rows(root):
        path = root.parent / image
        if not path.is_file():
            data.skipped.append((path, "no such file"))
        else:
            data.samples.append(Sample(path, tampered, root.parent / mask if mask else None))


def _rows(path: Path) -> Iterator[tuple[str, str | None, bool]]:
    text = path.read_text()
    match path.suffix.lower():
        case ".json":
            for image, mask in json.loads(text):
                yield image, None if mask == "Negative" else mask, mask != "Negative"
        case ".csv":
            for row in csv.DictReader(text.splitlines()):
                mask = row.get("mask") or None
                yield row["image"], None if mask == "Negative" else mask, mask not in (None, "Negative")
        case _:
            for fields in filter(None, map(str.split, text.splitlines())):
                image, mask, label = (fields + ["Negative", "0"])[:3]
                yield image, None if mask in ("Negative", "-") else mask, label == "1"


LAYOUTS: dict[str, Callable[[Path, DataSet], None]] = {
    "list": _list,
    "casia1": _casia1,
    "columbia": _columbia,
    "coverage": _coverage,
    "nist16": _nist16,
    "dso1": _dso1,
    "korus": _korus,
    "cocoglide": _cocoglide,
    "imd2020": _imd2020,
    "folder": _folder,
}
"""Detected in this order. CASIA v2 is `folder` with one of the ground truth's usual folder names."""
