"""`python -m training.photos collect POOL FOLDER…`, then `annotate POOL --teacher DEEPLAB.onnx`.

`manipulate POOL OUT` writes a data set of synthetic manipulations.
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
from training.photos.manipulation import Generator
from training.photos.pool import SCALES, grid_size, photos

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


def annotate(arguments: argparse.Namespace) -> None:
    """Computes regions and the teacher's classes of every photograph that lacks them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(arguments.teacher), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for photo in photos(arguments.pool, annotated=False):
        target = photo.path.with_suffix(".npz")
        if target.exists():
            continue
        image = photo.load()
        pixels = np.asarray(image.resize((513, 513), Image.Resampling.BILINEAR), np.float32)
        logits = session.run(None, {name: (pixels / 127.5 - 1).transpose(2, 0, 1)[None]})[0][0]
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
    arguments = top.parse_args(words)
    arguments.command(arguments)


if __name__ == "__main__":
    main()
