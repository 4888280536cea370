"""`python -m training.photos collect POOL FOLDER…`, then `annotate POOL --teacher DEEPLAB.onnx`.

`manipulate POOL OUT` writes a data set of synthetic manipulations, `splice` a single one.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps
from skimage.segmentation import felzenszwalb

from training.data.layouts import IMAGES
from training.photos.compose import Cutout, paste, whole
from training.photos.manipulation import Generator, jpeg
from training.photos.pool import SCALES, grid_size, photos
from training.semantic.model import CLASSES

LONGEST, SHORTEST = 1024, 320
CONTRAST = 12
"""Photographs whose thumbnail has a smaller standard deviation are flat."""
REPEATED = 3
"""Photographs whose thumbnails differ by less, in the mean, are the same."""
Image.MAX_IMAGE_PIXELS = 200_000_000


def usable(folder: Path, limit: int | None) -> Iterator[tuple[str, Image.Image]]:
    """Photographs that are large enough and not flat, the same picture once, in the order of their names' hashes."""
    files = [path for path in folder.rglob("*") if path.suffix.lower() in IMAGES and path.is_file()]
    files.sort(key=lambda path: hashlib.sha256(path.name.encode()).digest())
    seen: list[np.ndarray] = []
    for path in files:
        if limit is not None and len(seen) >= limit:
            return
        try:
            with Image.open(path) as file:
                image = ImageOps.exif_transpose(file).convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            print(f"{path}: left out, {error}")
            continue
        thumbnail = np.asarray(image.convert("L").resize((16, 16), Image.Resampling.BOX), np.int16)
        repeated = any(np.abs(thumbnail - other).mean() < REPEATED for other in seen)
        if min(image.size) < SHORTEST or thumbnail.std() < CONTRAST or repeated:
            continue
        seen.append(thumbnail)
        yield path.stem, image


def collect(arguments: argparse.Namespace) -> None:
    """Shrinks photographs to 1024 pixels at most and writes them without loss."""
    arguments.pool.mkdir(parents=True, exist_ok=True)
    for folder in arguments.folders:
        count = 0
        for name, image in usable(folder, arguments.limit):
            image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
            image.save(arguments.pool / f"{folder.name}-{name}.png", compress_level=1)
            count += 1
        print(f"{folder}: {count} photographs", flush=True)


def regions(image: Image.Image) -> np.ndarray:
    """Felzenszwalb and Huttenlocher's segmentation at several scales, `[scales, h, w]` uint16."""
    small = np.asarray(image.resize(grid_size(*image.size), Image.Resampling.BOX))
    return np.stack([felzenszwalb(small, scale, sigma=0.7, min_size=12 + scale // 8) for scale in SCALES]).astype(np.uint16)


class Teacher:
    """A DeepLab of Pascal VOC at 513 x 513."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name

    def logits(self, image: Image.Image) -> np.ndarray:
        """`[21, 513, 513]` of the photograph, stretched."""
        pixels = np.asarray(image.resize((513, 513), Image.Resampling.BILINEAR), np.float32)
        return self.session.run(None, {self.name: (pixels / 127.5 - 1).transpose(2, 0, 1)[None]})[0][0]


def annotate(arguments: argparse.Namespace) -> None:
    """Computes regions and the teacher's classes of every photograph that lacks them."""
    teacher = Teacher(arguments.teacher)
    for photo in photos(arguments.pool, annotated=False):
        target = photo.path.with_suffix(".npz")
        if target.exists():
            continue
        image = photo.load()
        logits = teacher.logits(image)
        classes = Image.fromarray(logits.argmax(0).astype(np.uint8))
        classes = np.asarray(classes.resize(grid_size(*image.size), Image.Resampling.NEAREST))
        partial = target.with_suffix(".partial.npz")
        np.savez_compressed(partial, regions=regions(image), classes=classes,
                            logits=logits[:, ::8, ::8].astype(np.float16))
        partial.replace(target)


def manipulate(arguments: argparse.Namespace) -> None:
    """Writes `Tp`, `Gt` and `Au`, as many authentic pictures as manipulated ones."""
    generator = Generator(photos(arguments.pool, held_out=not arguments.training), arguments.side, arguments.seed)
    for folder in ("Tp", "Gt", "Au"):
        (arguments.out / folder).mkdir(parents=True, exist_ok=True)
    for index in range(arguments.count):
        picture = generator.picture(index % 2 == 0)
        path = arguments.out / ("Tp" if index % 2 == 0 else "Au") / f"{index:05d}"
        if picture.quality is None:
            Image.fromarray(picture.pixels).save(path.with_suffix(".png"), compress_level=1)
        else:
            Image.fromarray(picture.pixels).save(path.with_suffix(".jpg"), quality=picture.quality, subsampling=2)
        if index % 2 == 0:
            Image.fromarray(picture.mask).save(arguments.out / "Gt" / f"{index:05d}.png")


def splice(arguments: argparse.Namespace) -> None:
    """Writes one known splice and its mask: an object of one photograph, as the teacher outlines it, in another."""
    with Image.open(arguments.background) as file:
        background = ImageOps.exif_transpose(file).convert("RGB")
    with Image.open(arguments.donor) as file:
        donor = ImageOps.exif_transpose(file).convert("RGB")
    background.thumbnail((arguments.side, arguments.side), Image.Resampling.LANCZOS)
    donor.thumbnail((arguments.side, arguments.side), Image.Resampling.LANCZOS)
    logits = Teacher(arguments.teacher).logits(donor)
    number = CLASSES.index(arguments.label)
    likelihood = Image.fromarray(logits[number] - np.delete(logits, number, 0).max(0)).resize(
        donor.size, Image.Resampling.BICUBIC)
    cutout = Cutout.of(np.asarray(donor), whole(np.asarray(likelihood) > 0)).resized(arguments.scale)
    before = jpeg(np.asarray(background), arguments.history, 2)
    below, right = arguments.top + cutout.mask.shape[0], arguments.left + cutout.mask.shape[1]
    if arguments.top < 0 or arguments.left < 0 or below > before.shape[0] or right > before.shape[1]:
        raise SystemExit(f"the part would reach to row {below} and column {right} of {before.shape[0]} x {before.shape[1]}")
    picture, mask = paste(before, cutout, arguments.top, arguments.left, 0.7)
    Image.fromarray(picture).save(arguments.out, quality=arguments.quality, subsampling=2)
    Image.fromarray(mask).save(arguments.out.with_suffix(".mask.png"))


def main(words: Sequence[str] | None = None) -> None:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m training.photos", description=__doc__)
    commands = top.add_subparsers(required=True)
    collecting = commands.add_parser("collect")
    collecting.add_argument("pool", type=Path)
    collecting.add_argument("folders", type=Path, nargs="+")
    collecting.add_argument("--limit", type=int, help="photographs of each folder at most")
    collecting.set_defaults(command=collect)
    annotating = commands.add_parser("annotate")
    annotating.add_argument("pool", type=Path)
    annotating.add_argument("--teacher", type=Path, required=True, help="a DeepLab of Pascal VOC, 513x513")
    annotating.set_defaults(command=annotate)
    making = commands.add_parser("manipulate")
    making.add_argument("pool", type=Path)
    making.add_argument("out", type=Path)
    making.add_argument("--count", type=int, default=400)
    making.add_argument("--side", type=int, default=384)
    making.add_argument("--seed", type=int, default=0)
    making.add_argument("--training", action="store_true", help="from the photographs that are trained on")
    making.set_defaults(command=manipulate)
    splicing = commands.add_parser("splice", help="one known splice")
    splicing.add_argument("background", type=Path)
    splicing.add_argument("donor", type=Path)
    splicing.add_argument("out", type=Path, help="a JPEG; the mask is written beside it")
    splicing.add_argument("--teacher", type=Path, required=True, help="a DeepLab of Pascal VOC, 513x513")
    splicing.add_argument("--label", required=True, choices=CLASSES[1:], help="the class of the donor's object")
    splicing.add_argument("--side", type=int, default=768, help="the photographs' longest side")
    splicing.add_argument("--scale", type=float, default=1)
    splicing.add_argument("--top", type=int, default=0)
    splicing.add_argument("--left", type=int, default=0)
    splicing.add_argument("--history", type=int, default=75, help="the quality at which the background was saved before")
    splicing.add_argument("--quality", type=int, default=95, help="the quality at which the splice is saved")
    splicing.set_defaults(command=splice)
    arguments = top.parse_args(words)
    arguments.command(arguments)


if __name__ == "__main__":
    main()
