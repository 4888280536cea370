"""`python -m training.student train | evaluate | export | count`; see the README beside this package."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.common import measures
from training.common.export import MEAN, STD, export, image_metadata
from training.common.run import Run, add_arguments, outlive_signals, seed_everything, settings_of
from training.data import layouts
from training.data.samples import Sample, split
from training.student.model import BACKBONES, MobileScales, Student, cost


def photograph(image: Image.Image, side: int) -> Tensor:
    """The input `[3, side, side]` for a photograph: stretched, 0-1, less ImageNet's mean over its deviation."""
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), np.float32) / 255
    return torch.from_numpy((pixels - np.float32(MEAN)) / np.float32(STD)).permute(2, 0, 1).contiguous()


class MaskDataset(Dataset[tuple[Tensor, Tensor]]):
    """Photographs with the teacher's masks `[1, side, side]`; authentic ones have an empty mask."""

    def __init__(self, samples: Sequence[Sample], side: int) -> None:
        self.samples, self.side = list(samples), side

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        sample = self.samples[index]
        image = sample.load()
        mask = Image.fromarray(sample.load_mask(*image.size))
        if random.random() < 0.5:
            image, mask = (picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for picture in (image, mask))
        mask = np.asarray(mask.resize((self.side, self.side), Image.Resampling.NEAREST), np.float32)
        return photograph(image, self.side), torch.from_numpy(mask)[None]


def build(settings: dict[str, Any]) -> Student:
    """The network that a checkpoint's settings describe."""
    return Student(BACKBONES[settings["backbone"]](), settings["depth"], settings["prototypes"])


def enlarged(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits at another height and width."""
    return F.interpolate(logits, size, mode="bilinear", align_corners=False)


@torch.no_grad()
def evaluate(model: Student, samples: Sequence[Sample], side: int) -> dict[str, float]:
    """Mean figures over manipulated photographs with a mask, at the photograph's own size."""
    model.eval()
    device = next(model.parameters()).device
    rows = []
    for sample in samples:
        image = sample.load()
        mask = sample.load_mask(*image.size)
        if not sample.tampered or mask.all() or not mask.any():
            continue
        logits = model(photograph(image, side)[None].to(device))
        scores = torch.sigmoid(enlarged(logits, image.size[::-1]))[0, 0].cpu().numpy()
        rows.append((measures.auc(scores, mask), measures.f1(scores >= 0.5, mask), measures.best_f1(scores, mask)))
    titles = ("AUC", "F1@.5", "best F1")
    return {"photographs": len(rows)} | {t: float(np.mean(v)) for t, v in zip(titles, zip(*rows, strict=True))}


def train(arguments: argparse.Namespace) -> None:
    """AdamW on binary cross-entropy against the teacher's masks; validates and saves after every epoch."""
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    data = layouts.read(arguments.dataset, arguments.layout)
    training, validation = split(data.samples, arguments.validation, arguments.seed)
    print(f"{data.layout}: {len(training)} to train on, {len(validation)} to validate on, {len(data.skipped)} skipped")
    settings = {key: getattr(arguments, key) for key in ("backbone", "depth", "prototypes", "side")}
    seed_everything(arguments.seed)
    model = build(settings)
    if arguments.teacher:
        if not isinstance(model.backbone, MobileScales):
            raise SystemExit("--teacher: only the backbone `mobile` begins as a DeepLab's")
        model.backbone.load_deeplab(arguments.teacher)
    if arguments.weights:
        model.backbone.load_state_dict(torch.load(arguments.weights, map_location="cpu", weights_only=True))
    model = model.to(arguments.device)
    batches = DataLoader(MaskDataset(training, arguments.side), arguments.batch, shuffle=True,
                         drop_last=len(training) > arguments.batch, num_workers=arguments.workers,
                         worker_init_fn=outlive_signals)
    run = Run(arguments.checkpoint, model, torch.optim.AdamW(model.parameters(), arguments.rate), settings=settings,
              minutes=arguments.minutes, steps=arguments.epochs * len(batches), seed=arguments.seed)
    weight = torch.tensor(arguments.positive_weight, device=arguments.device)
    stream = iter(())
    for step in run.running():
        model.train()
        run.cosine(arguments.rate)
        if (batch := next(stream, None)) is None:
            stream = iter(batches)
            batch = next(stream)
        x, mask = (value.to(arguments.device) for value in batch)
        run.descend(F.binary_cross_entropy_with_logits(enlarged(model(x), mask.shape[-2:]), mask, pos_weight=weight), clip=1.0)
        if (step + 1) % len(batches) == 0:
            _validate(run, validation, arguments.side)
    _validate(run, validation, arguments.side)


def _validate(run: Run, samples: Sequence[Sample], side: int) -> None:
    figures = evaluate(run.model, samples, side) if samples else {}
    run.save(figures.get("F1@.5"))
    run.report("  ".join(f"{name} {value:.3f}" for name, value in figures.items()))


def load(path: Path) -> tuple[Student, dict[str, Any]]:
    """The network in a checkpoint, and its settings."""
    settings, weights = settings_of(path)
    model = build(settings)
    model.load_state_dict(weights)
    return model.eval(), settings


def evaluate_command(arguments: argparse.Namespace) -> None:
    """Prints the figures on a data set."""
    model, settings = load(arguments.checkpoint)
    for name, value in evaluate(model, layouts.read(arguments.dataset, arguments.layout).samples,
                                settings["side"]).items():
        print(f"{name:20s} {value:.4f}")


def export_command(arguments: argparse.Namespace) -> None:
    """Writes the checkpoint's network, or one with random weights."""
    if arguments.checkpoint:
        model, settings = load(arguments.checkpoint)
    else:
        seed_everything(arguments.seed)
        settings = {key: getattr(arguments, key) for key in ("backbone", "depth", "prototypes", "side")}
        model = build(settings).eval()
    side = settings["side"]
    metadata = image_metadata("student", f"{side},{side}", "stretch", output_kind="logits",
                              training_data=arguments.data, licence=arguments.licence)
    error = export(model, (torch.randn(1, 3, side, side),), arguments.out, inputs=["image"], outputs=["logits"],
                   metadata=metadata, dynamic={"image": {0: "N"}, "logits": {0: "N"}}, half=arguments.half)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB, {error:.1e} from PyTorch")


def count_command(arguments: argparse.Namespace) -> None:
    """Prints parameters and multiply-adds at 224."""
    parameters, operations = cost(build({key: getattr(arguments, key) for key in ("backbone", "depth", "prototypes")}))
    print(f"{parameters / 1e6:.2f} M parameters, {operations / 1e9:.2f} G multiply-adds at 224x224")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m training.student")
    commands = top.add_subparsers(required=True)
    training = commands.add_parser("train", help="from a teacher's masks")
    training.add_argument("dataset", type=Path)
    training.add_argument("--validation", type=float, default=0.1, help="share of the photographs kept for validation")
    training.add_argument("--epochs", type=int, default=20)
    training.add_argument("--batch", type=int, default=16)
    training.add_argument("--rate", type=float, default=3e-4)
    training.add_argument("--positive-weight", type=float, default=1, help="how much more pixels inside masks count")
    training.add_argument("--workers", type=int, default=1)
    training.add_argument("--teacher", type=Path, help="an exported DeepLab whose backbone `mobile` begins with")
    training.add_argument("--weights", type=Path, help="a state dictionary for the backbone to begin with")
    add_arguments(training, "student.pt")
    training.set_defaults(command=train)
    evaluation = commands.add_parser("evaluate", help="figures on a data set")
    evaluation.add_argument("checkpoint", type=Path)
    evaluation.add_argument("dataset", type=Path)
    evaluation.set_defaults(command=evaluate_command)
    exporting = commands.add_parser("export", help="an ONNX file")
    exporting.add_argument("out", type=Path)
    exporting.add_argument("--checkpoint", type=Path, help="random weights without it")
    exporting.add_argument("--seed", type=int, default=0)
    exporting.add_argument("--half", action="store_true", help="store weights as float16")
    exporting.add_argument("--data", default="none: random weights", help="training.data")
    exporting.add_argument("--licence", default="Apache-2.0")
    exporting.set_defaults(command=export_command)
    counting = commands.add_parser("count", help="parameters and multiply-adds")
    counting.set_defaults(command=count_command)
    for command in (training, evaluation):
        command.add_argument("--layout", choices=layouts.LAYOUTS)
    for command in (training, exporting, counting):
        command.add_argument("--backbone", choices=BACKBONES, default="tinyvit")
        command.add_argument("--depth", type=int, default=96, help="channels of the fusion")
        command.add_argument("--prototypes", type=int, default=64)
        command.add_argument("--side", type=int, default=224, help="pixels, a multiple of 32")
    return top


if __name__ == "__main__":
    arguments = parser().parse_args()
    arguments.command(arguments)
