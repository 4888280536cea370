"""`python -m training.wcbnet train | calibrate | evaluate | export`; see the README beside this package."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from training.common.export import export
from training.common.run import Run, add_arguments, outlive_signals, seed_everything, settings_of
from training.data import layouts
from training.data.error_levels import ErrorLevels
from training.data.samples import Sample, split
from training.photos.pool import photos
from training.wcbnet.data import ErrorLevelDataset, SyntheticErrorLevels
from training.wcbnet.evaluation import evaluate
from training.wcbnet.grid import GridBlocks
from training.wcbnet.model import ResNet50Blocks, WCBnet
from training.wcbnet.tiny import TinyBlocks

BACKBONES = {"resnet50": ResNet50Blocks, "tiny": TinyBlocks, "grid": GridBlocks}
LEVELS = ErrorLevels()
SETTINGS = ("backbone", "views", "depth", "gated", "scale", "side")
EPOCH = 200
"""Steps between validations when samples are drawn without end."""


def build(settings: dict[str, Any]) -> WCBnet:
    """The network that a checkpoint's settings describe."""
    return WCBnet(BACKBONES[settings["backbone"]](), settings["views"], settings["depth"], settings["gated"])


def train(arguments: argparse.Namespace) -> None:
    """The published recipe on image labels: SGD; validates and saves after every epoch.

    With a pool, synthetic manipulations are drawn from it without end, AdamW takes the steps, and the data set validates.
    """
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.pool and arguments.batch % 2:
        raise SystemExit("--batch: pictures of a pool come in pairs, give an even number")
    data = layouts.read(arguments.dataset, arguments.layout)
    names = set(arguments.only.read_text().split()) if arguments.only else None
    samples = [sample for sample in data.samples if names is None or sample.image.name in names]
    if arguments.pool:
        training, validation = photos(arguments.pool, held_out=False), samples
    else:
        training, validation = split(samples, arguments.validation, arguments.seed)
    print(f"{data.layout}: {len(training)} to train on, {len(validation)} to validate on, {len(data.skipped)} skipped")
    settings = {key: getattr(arguments, key) for key in SETTINGS}
    seed_everything(arguments.seed)
    model = build(settings)
    if arguments.weights:
        model.backbone.load_state_dict(torch.load(arguments.weights, map_location="cpu", weights_only=True))
    model = model.to(arguments.device, memory_format=torch.channels_last)
    optimizer = (torch.optim.AdamW(model.parameters(), arguments.rate, weight_decay=1e-4) if arguments.pool else
                 torch.optim.SGD(model.parameters(), arguments.rate, momentum=arguments.momentum))
    epoch = EPOCH if arguments.pool else max(1, len(training) // arguments.batch)
    run = Run(arguments.checkpoint, model, optimizer, settings=settings, minutes=arguments.minutes,
              steps=arguments.epochs * epoch, seed=arguments.seed)
    batches = _batches(arguments, training, run.draw, arguments.batch)
    stream = iter(())
    for step in run.running():
        if arguments.pool:
            run.cosine(arguments.rate)
        model.train()
        if (batch := next(stream, None)) is None:
            stream = iter(batches)
            batch = next(stream)
        x, labels = (value.to(arguments.device) for value in batch)
        with torch.autocast(arguments.device, torch.bfloat16, enabled=arguments.bfloat16):
            outputs = model(x.contiguous(memory_format=torch.channels_last))
        total = sum(loss(logit[:, 0].float(), labels, paired=bool(arguments.pool)) for logit in outputs[::2])
        if arguments.everywhere:
            total = total + arguments.everywhere * sum(false_alarms(places, labels) for places in model.places(outputs))
        run.descend(total)
        if (step + 1) % epoch == 0:
            _validate(run, validation, settings, arguments.choose)
    _validate(run, validation, settings, arguments.choose)


def loss(logits: Tensor, labels: Tensor, paired: bool) -> Tensor:
    """Cross-entropy; for pairs of an authentic picture and itself manipulated also how rarely the second scores higher."""
    entropy = F.binary_cross_entropy_with_logits(logits, labels)
    return entropy + F.softplus(logits[::2] - logits[1::2]).mean() if paired else entropy


def false_alarms(places: Tensor, labels: Tensor) -> Tensor:
    """How far places of authentic pictures, `[N, h, w]`, speak for a manipulation: such a picture is authentic everywhere."""
    authentic = (labels == 0).float()
    return (F.softplus(places.float()).mean((1, 2)) * authentic).sum() / authentic.sum().clamp_min(1)


def _batches(arguments: argparse.Namespace, training: list, seed: int, size: int) -> DataLoader:
    """Error levels and labels of a data set's samples, or made without end from a pool's photographs."""
    workers = {"num_workers": arguments.workers, "worker_init_fn": outlive_signals}
    if arguments.pool:
        return DataLoader(SyntheticErrorLevels(training, LEVELS, arguments.side, seed), size, **workers)
    data = ErrorLevelDataset(training, LEVELS, arguments.scale, arguments.side)
    return DataLoader(data, size, shuffle=True, drop_last=len(training) > size, **workers)


def _validate(run: Run, samples: list[Sample], settings: dict[str, Any], choice: str) -> None:
    figures = evaluate(run.model, samples, LEVELS, settings["scale"], settings["side"]) if samples else {}
    if figures and choice not in figures:
        raise SystemExit(f"--choose: there is no figure {choice!r}, but {', '.join(figures)}")
    run.save(figures.get(choice))
    run.report("  ".join(f"{name} {value:.3f}" for name, value in figures.items()))


def load(path: Path) -> tuple[WCBnet, dict[str, Any]]:
    """The network in a checkpoint, and its settings."""
    settings, weights = settings_of(path)
    model = build(settings)
    model.load_state_dict(weights)
    return model.eval(), settings


@torch.no_grad()
def calibrate(arguments: argparse.Namespace) -> None:
    """Moves the heads' biases so that a mean logit of 0 parts manipulated from authentic pictures of `--side` best.

    The pictures are made from the pool's photographs for training. Networks trained on small crops need it: in a larger
    picture a manipulation is a smaller share of what is averaged.
    """
    state = torch.load(arguments.checkpoint, map_location="cpu", weights_only=False)
    model, _ = load(arguments.checkpoint)
    pictures = iter(SyntheticErrorLevels(photos(arguments.pool, held_out=False), LEVELS, arguments.side, arguments.seed))
    logits, labels = [], []
    for _ in range(2 * arguments.pairs):
        x, label = next(pictures)
        logits.append(float(torch.stack([logit.mean() for logit in model(x[None])[::2]]).mean()))
        labels.append(bool(label))
    threshold, accuracy = best_threshold(logits, labels)
    for head in model.heads:
        head.bias -= threshold
    state["model"] = model.state_dict()
    torch.save(state, arguments.out)
    print(f"{arguments.out}: biases less {threshold:.3f}; accuracy on these {len(labels)} pictures {accuracy:.3f}")


def best_threshold(scores: Sequence[float], labels: Sequence[bool]) -> tuple[float, float]:
    """The threshold above which most scores are of true labels and below which most are not, and the share that is right."""
    order = sorted(zip(scores, labels, strict=True))
    right = sum(labels)
    best = (order[0][0] - 1, right)
    for index, (score, label) in enumerate(order):
        right += -1 if label else 1
        above = order[index + 1][0] if index + 1 < len(order) else score + 1
        if right > best[1]:
            best = ((score + above) / 2, right)
    return best[0], best[1] / len(order)


def evaluate_command(arguments: argparse.Namespace) -> None:
    """Prints the figures on a data set."""
    model, settings = load(arguments.checkpoint)
    samples = layouts.read(arguments.dataset, arguments.layout).samples
    for name, value in evaluate(model, samples, LEVELS, settings["scale"], settings["side"]).items():
        print(f"{name:20s} {value:.4f}")


def export_command(arguments: argparse.Namespace) -> None:
    """Writes one file with all views of the checkpoint, or of a network with random weights."""
    if arguments.checkpoint:
        model, settings = load(arguments.checkpoint)
    else:
        seed_everything(arguments.seed)
        settings = {key: getattr(arguments, key) for key in SETTINGS}
        model = build(settings).eval()
    native = settings["scale"] == "native"
    side = settings["side"]
    metadata = {
        "tamperscope.role": "classifier", "input.layout": "NCHW", "input.color": "RGB", "input.range": "0-1",
        "input.size": "dynamic/32" if native else f"{side},{side}", "input.resize": "tile" if native else "stretch",
        "errorLevels.quality": str(LEVELS.quality), "errorLevels.subsampling": LEVELS.subsampling,
        "errorLevels.gain": "1", "errorLevels.scale": settings["scale"],
        "views": ",".join(f"logit_{view}:features_{view}" for view in model.views),
        "training.data": arguments.data, "licence": arguments.licence,
    }
    dynamic = {"error_levels": {0: "N", 2: "H", 3: "W"}} if native else {"error_levels": {0: "N"}}
    for name in model.outputs:
        dynamic[name] = {0: "N"}
        if native and name.startswith("features"):
            dynamic[name] |= {2: f"h{name[-1]}", 3: f"w{name[-1]}"}
    error = export(model, (torch.randn(1, 3, side, side) * 0.02,), arguments.out, inputs=["error_levels"],
                   outputs=model.outputs, metadata=metadata, dynamic=dynamic, half=arguments.half)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB, {error:.1e} from PyTorch")


def views(text: str) -> list[int]:
    """`2,3,4`, or `plain` for the backbone alone."""
    return [0] if text == "plain" else [int(part) for part in text.split(",")]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m training.wcbnet")
    commands = top.add_subparsers(required=True)
    training = commands.add_parser("train", help="from image labels")
    training.add_argument("dataset", type=Path)
    training.add_argument("--pool", type=Path, help="photographs to make manipulations of; the data set then validates")
    training.add_argument("--only", type=Path, help="a list of the file names to use")
    training.add_argument("--validation", type=float, default=0.1, help="share of the photographs kept for validation")
    training.add_argument("--epochs", type=int, default=200)
    training.add_argument("--batch", type=int, default=12)
    training.add_argument("--rate", type=float, default=1e-3)
    training.add_argument("--momentum", type=float, default=0.9)
    training.add_argument("--everywhere", type=float, default=0, metavar="WEIGHT",
                          help="of a term that asks each place of an authentic picture to speak against a manipulation")
    training.add_argument("--choose", default="image AUC", metavar="FIGURE",
                          help="of those that validation prints, by which the best state is kept (default: %(default)s)")
    training.add_argument("--bfloat16", action="store_true", help="compute in bfloat16 where that does no harm")
    training.add_argument("--workers", type=int, default=1)
    training.add_argument("--weights", type=Path, help="a state dictionary for the backbone to begin with")
    add_arguments(training, "wcbnet.pt")
    training.set_defaults(command=train)
    evaluation = commands.add_parser("evaluate", help="figures on a data set")
    evaluation.add_argument("checkpoint", type=Path)
    evaluation.add_argument("dataset", type=Path)
    evaluation.set_defaults(command=evaluate_command)
    calibration = commands.add_parser("calibrate", help="so that a logit of 0 parts the classes best")
    calibration.add_argument("checkpoint", type=Path)
    calibration.add_argument("pool", type=Path, help="photographs to make pictures of")
    calibration.add_argument("out", type=Path, help="the checkpoint to write")
    calibration.add_argument("--side", type=int, default=384)
    calibration.add_argument("--pairs", type=int, default=150)
    calibration.add_argument("--seed", type=int, default=1)
    calibration.set_defaults(command=calibrate)
    exporting = commands.add_parser("export", help="an ONNX file")
    exporting.add_argument("out", type=Path)
    exporting.add_argument("--checkpoint", type=Path, help="random weights without it")
    exporting.add_argument("--seed", type=int, default=0)
    exporting.add_argument("--half", action="store_true", help="store weights as float16")
    exporting.add_argument("--data", default="none: random weights", help="training.data")
    exporting.add_argument("--licence", default="Apache-2.0")
    exporting.set_defaults(command=export_command)
    for command in (training, evaluation):
        command.add_argument("--layout", choices=layouts.LAYOUTS)
    for command in (training, exporting):
        command.add_argument("--backbone", choices=BACKBONES, default="resnet50")
        command.add_argument("--views", type=views, default=[2, 3, 4])
        command.add_argument("--depth", type=int, default=128, help="channels that blocks are projected to")
        command.add_argument("--gated", action="store_true", help="learn which places count; not in the paper")
        command.add_argument("--scale", choices=("fit", "native"), default="fit")
        command.add_argument("--side", type=int, default=384, help="pixels, a multiple of 32")
    return top


if __name__ == "__main__":
    arguments = parser().parse_args()
    arguments.command(arguments)
