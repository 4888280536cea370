"""`python -m training.semantic train | evaluate | export`; see the README beside this package."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from training.common.export import export
from training.common.run import Run, add_arguments, seed_everything, settings_of
from training.data.layouts import IMAGES
from training.photos.pool import Photo, photos
from training.semantic.features import TaughtFeatures, pixels
from training.semantic.model import CLASSES, CONTEXTS, Segmenter


def distillation(logits: Tensor, teacher: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy with the teacher's probabilities; a place weighs as the classes that the teacher sees there do."""
    logits = F.interpolate(logits, teacher.shape[2:], mode="bilinear", align_corners=True)
    target = teacher.softmax(1)
    weight = (target * weights.view(1, -1, 1, 1)).sum(1)
    return (-(target * logits.log_softmax(1)).sum(1) * weight).sum() / weight.sum()


@torch.no_grad()
def agreement(model: Segmenter, pairs: Iterator[tuple[Image.Image, np.ndarray]]) -> dict[str, float]:
    """Mean intersection over union with a teacher's classes `[h, w]`, over the classes that the teacher sees."""
    model.eval()
    counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    number = 0
    for image, classes in pairs:
        logits = model(pixels(image, model.side)[None])
        logits = F.interpolate(logits, classes.shape, mode="bilinear", align_corners=False)
        found = logits[0].argmax(0).numpy()
        counts += np.bincount(classes.ravel().astype(np.int64) * len(CLASSES) + found.ravel(),
                              minlength=counts.size).reshape(counts.shape)
        number += 1
    common = np.diag(counts)
    union = counts.sum(0) + counts.sum(1) - common
    seen = counts.sum(1) > 0
    return {"photographs": number, "classes": int(seen.sum()), "mean IoU": float((common[seen] / union[seen]).mean()),
            "pixels": float(common.sum() / counts.sum())}


def taught(pool: list[Photo]) -> Iterator[tuple[Image.Image, np.ndarray]]:
    """The pool's photographs with the classes that the teacher gave them."""
    return ((photo.load(), photo.teacher()[0]) for photo in pool)


def compared(folder: Path, teacher: Path) -> Iterator[tuple[Image.Image, np.ndarray]]:
    """A folder's photographs with the classes that a teacher gives them now."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(teacher), options, providers=["CPUExecutionProvider"])
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES):
        with Image.open(path) as file:
            image = file.convert("RGB")
        yield image, session.run(None, {session.get_inputs()[0].name: pixels(image, 513)[None].numpy()})[0][0].argmax(0)


def train(arguments: argparse.Namespace) -> None:
    """AdamW against the teacher's logits; the backbone is the teacher's and stays so."""
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    torch.set_flush_denormal(True)
    seed_everything(arguments.seed)
    model = Segmenter(arguments.kind).to(arguments.device, memory_format=torch.channels_last)
    model.backbone.load_deeplab(arguments.teacher)
    model.backbone.requires_grad_(False)
    heads = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(heads, arguments.rate)
    run = Run(arguments.checkpoint, model, optimizer, settings={"kind": arguments.kind}, minutes=arguments.minutes,
              steps=arguments.steps, seed=arguments.seed)
    training = photos(arguments.pool, held_out=False)
    held_out = photos(arguments.pool, held_out=True)
    validation = held_out[::max(1, len(held_out) // arguments.validation)]
    print(f"{len(training)} photographs to train on, {len(validation)} to validate on")
    features = TaughtFeatures(model, training, arguments.batch, run.draw)
    stream = iter(features)
    validated = run.elapsed
    for _ in run.running():
        model.train()
        run.cosine(arguments.rate, warm_up=50)
        fine, last, teacher = next(stream)
        with torch.autocast(teacher.device.type, torch.bfloat16):
            logits = model.coarse(fine.contiguous(memory_format=torch.channels_last),
                                  last.contiguous(memory_format=torch.channels_last))
        run.descend(distillation(logits.float(), teacher, features.weights.to(teacher.device)), clip=1.0)
        if run.elapsed - validated > 60 * arguments.every:
            _validate(run, model, validation)
            validated = run.elapsed
    _validate(run, model, validation)


def _validate(run: Run, model: Segmenter, validation: list[Photo]) -> None:
    figures = agreement(model, taught(validation))
    run.save(figures["mean IoU"])
    run.report("  ".join(f"{name} {value:.3f}" for name, value in figures.items()))


def load(path: Path) -> Segmenter:
    """The network in a checkpoint."""
    settings, weights = settings_of(path)
    model = Segmenter(settings["kind"])
    model.load_state_dict(weights)
    return model.eval()


def evaluate_command(arguments: argparse.Namespace) -> None:
    """Prints the agreement with the teacher on a folder of photographs."""
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    for name, value in agreement(load(arguments.checkpoint), compared(arguments.folder, arguments.teacher)).items():
        print(f"{name:12s} {value:.4f}")


def export_command(arguments: argparse.Namespace) -> None:
    """Writes the checkpoint's network, or one with random weights."""
    seed_everything(arguments.seed)
    model = load(arguments.checkpoint) if arguments.checkpoint else Segmenter(arguments.kind).eval()
    kind = next(kind for kind, (context, _) in CONTEXTS.items() if isinstance(model.context, context))
    metadata = {
        "tamperscope.role": kind, "input.layout": "NCHW", "input.color": "RGB", "input.range": "-1-1",
        "input.mean": "0,0,0", "input.std": "1,1,1", "input.size": f"{model.side},{model.side}",
        "input.resize": "stretch", "output.kind": "logits", "output.classes": ",".join(CLASSES),
        "training.data": arguments.data, "licence": arguments.licence,
    }
    error = export(model, (torch.randn(1, 3, model.side, model.side) * 0.5,), arguments.out, inputs=["image"],
                   outputs=["logits"], metadata=metadata, half=arguments.half)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB, {error:.1e} from PyTorch")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m training.semantic")
    commands = top.add_subparsers(required=True)
    training = commands.add_parser("train", help="on a pool of annotated photographs")
    training.add_argument("kind", choices=CONTEXTS)
    training.add_argument("pool", type=Path)
    training.add_argument("--teacher", type=Path, required=True, help="the DeepLab that annotated the pool")
    training.add_argument("--batch", type=int, default=8)
    training.add_argument("--rate", type=float, default=2e-3)
    training.add_argument("--steps", type=int, help="a limit of steps, beside or instead of --minutes")
    training.add_argument("--every", type=float, default=3, help="minutes between validations")
    training.add_argument("--validation", type=int, default=40, help="photographs to validate on")
    add_arguments(training, "semantic.pt")
    training.set_defaults(command=train)
    evaluation = commands.add_parser("evaluate", help="agreement with the teacher on any photographs")
    evaluation.add_argument("checkpoint", type=Path)
    evaluation.add_argument("folder", type=Path)
    evaluation.add_argument("--teacher", type=Path, required=True)
    evaluation.add_argument("--threads", type=int, default=0)
    evaluation.set_defaults(command=evaluate_command)
    exporting = commands.add_parser("export", help="an ONNX file")
    exporting.add_argument("out", type=Path)
    exporting.add_argument("--kind", choices=CONTEXTS, default="deeplab", help="without a checkpoint")
    exporting.add_argument("--checkpoint", type=Path, help="random weights without it")
    exporting.add_argument("--seed", type=int, default=0)
    exporting.add_argument("--half", action="store_true", help="store weights as float16")
    exporting.add_argument("--data", default="none: random weights", help="training.data")
    exporting.add_argument("--licence", default="Apache-2.0")
    exporting.set_defaults(command=export_command)
    return top


if __name__ == "__main__":
    arguments = parser().parse_args()
    arguments.command(arguments)
