"""`python -m training.sam train | evaluate | export`; see the README beside this package."""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from training.common.export import export
from training.common.run import Run, add_arguments, outlive_signals, seed_everything, settings_of
from training.photos.pool import photos
from training.sam.data import Frames, prompts
from training.sam.decoder import LOW, Decoder, OfficialDecoder
from training.sam.encoder import FRAME, Encoder
from training.sam.evaluation import bsds, evaluate, held_out, overlaps


class Pair(nn.Module):
    """Encoder and decoder, trained together."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()


def mask_losses(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy and dice of each mask `[P, M, h, w]` against truths `[P, h, w]`: `[P, M]`."""
    truth = truth[:, None].float().expand_as(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    # Where a mask is small, its own pixels count for more than those around it, though not as much as all of them.
    share = truth.mean((2, 3), keepdim=True).clamp(0.02, 0.98)
    weight = torch.where(truth > 0, 0.5 / share, 0.5 / (1 - share)).sqrt()
    entropy = (entropy * weight).sum((2, 3)) / weight.sum((2, 3))
    found = torch.sigmoid(logits)
    dice = 1 - (2 * (found * truth).sum((2, 3)) + 1) / (found.sum((2, 3)) + truth.sum((2, 3)) + 1)
    return entropy + dice


def step_loss(pair: Pair, frames: Tensor, masks: Tensor, draw: random.Random) -> Tensor:
    """The loss of one batch for one kind of prompt: the best of three masks for a point, the first mask otherwise."""
    kind = draw.choices(("point", "box", "points"), (5, 4, 2))[0]
    truth = masks.flatten(0, 1)
    points, labels = prompts(truth, kind, draw)
    device = frames.device
    truth = truth.to(device)
    with torch.autocast(device.type, torch.bfloat16):
        embeddings = pair.encoder.embed(frames)
        logits, quality = pair.decoder(embeddings, points.to(device), labels.to(device),
                                       torch.zeros(len(truth), 1, LOW, LOW, device=device),
                                       torch.zeros(1, device=device))
    used = slice(1, None) if kind == "point" else slice(0, 1)
    logits, quality = logits[:, used].float(), quality[:, used].float()
    losses = mask_losses(logits, truth)
    # A little of every mask's loss keeps the three from dying.
    loss = losses.amin(1).mean() + (0.05 * losses.mean() if kind == "point" else 0)
    return loss + F.mse_loss(quality, overlaps(logits.detach(), truth))


def train(arguments: argparse.Namespace) -> None:
    """AdamW on frames of the pool; the backbone begins as the teacher's and stays so unless `--tune`."""
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    torch.set_flush_denormal(True)
    seed_everything(arguments.seed)
    pair = Pair().to(arguments.device, memory_format=torch.channels_last)
    pair.encoder.backbone.load_deeplab(arguments.teacher)
    pair.encoder.backbone.requires_grad_(arguments.tune)
    others = [parameter for name, parameter in pair.named_parameters() if not name.startswith("encoder.backbone")]
    optimizer = torch.optim.AdamW([
        {"params": others}, {"params": list(pair.encoder.backbone.parameters()), "scale": 0.1}], arguments.rate)
    run = Run(arguments.checkpoint, pair, optimizer, settings={}, minutes=arguments.minutes, steps=arguments.steps,
              seed=arguments.seed)
    pool = photos(arguments.pool, held_out=False)
    held_out_photos = photos(arguments.pool, held_out=True)
    validation = held_out_photos[::max(1, len(held_out_photos) // arguments.validation)]
    print(f"{len(pool)} photographs to train on, {len(validation)} to validate on")
    batches = DataLoader(Frames(pool, arguments.prompts, run.draw), arguments.batch, num_workers=1, prefetch_factor=4,
                         worker_init_fn=outlive_signals)
    draw, last = random.Random(run.draw), run.elapsed
    stream = iter(batches)
    for _ in run.running():
        pair.train()
        run.cosine(arguments.rate, warm_up=100)
        frames, masks = next(stream)
        frames = frames.to(arguments.device).contiguous(memory_format=torch.channels_last)
        run.descend(step_loss(pair, frames, masks, draw), clip=1.0)
        if run.elapsed - last > 60 * arguments.every:
            _validate(run, pair, validation)
            last = run.elapsed
    _validate(run, pair, validation)


def _validate(run: Run, pair: Pair, validation: list) -> None:
    figures = evaluate(pair.encoder, pair.decoder, held_out(validation))
    run.save(figures["point, best of three"] + figures["box"])
    run.report("  ".join(f"{name} {value:.3f}" for name, value in figures.items()))


def load(path: Path) -> Pair:
    """The networks in a checkpoint."""
    pair = Pair()
    pair.load_state_dict(settings_of(path)[1])
    return pair.eval()


def evaluate_command(arguments: argparse.Namespace) -> None:
    """Prints the figures on BSDS500's test regions."""
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    pair = load(arguments.checkpoint)
    for name, value in evaluate(pair.encoder, pair.decoder, bsds(arguments.bsds, "test", arguments.limit)).items():
        print(f"{name:24s} {value:.4f}")


def export_command(arguments: argparse.Namespace) -> None:
    """Writes encoder and decoder of a checkpoint, or of random weights."""
    seed_everything(arguments.seed)
    pair = load(arguments.checkpoint) if arguments.checkpoint else Pair().eval()
    metadata = {"training.data": arguments.data, "licence": arguments.licence}
    encoder, decoder = (arguments.out / f"sam-tiny-{half}.onnx" for half in ("encoder", "decoder"))
    image = torch.randn(1, 3, FRAME, FRAME)
    errors = [export(pair.encoder, (image,), encoder, inputs=["image"], outputs=["image_embeddings"],
                     metadata={"tamperscope.role": "sam-encoder"} | metadata, half=arguments.half)]
    with torch.no_grad():
        embedding = pair.encoder(image)
    prompt = (embedding, torch.rand(1, 3, 2) * FRAME, torch.tensor([[1.0, 0, -1]]), torch.zeros(1, 1, LOW, LOW),
              torch.zeros(1), torch.tensor([375.0, 500]))
    names = ["image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"]
    generation = {"sam.pointsPerSide": arguments.points, "sam.predictedIoUThreshold": arguments.quality,
                  "sam.stabilityThreshold": arguments.stability}
    generation = {key: str(value) for key, value in generation.items() if value is not None}
    errors.append(export(
        OfficialDecoder(pair.decoder), prompt, decoder, inputs=names,
        outputs=["masks", "iou_predictions", "low_res_masks"],
        metadata={"tamperscope.role": "sam-decoder"} | generation | metadata,
        dynamic={"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}, "masks": {2: "H", 3: "W"}},
        half=arguments.half))
    for path, error in zip((encoder, decoder), errors, strict=True):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {error:.1e} from PyTorch")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m training.sam")
    commands = top.add_subparsers(required=True)
    training = commands.add_parser("train", help="on a pool of annotated photographs")
    training.add_argument("pool", type=Path)
    training.add_argument("--teacher", type=Path, required=True, help="a DeepLab on MobileNetV2 whose backbone to take")
    training.add_argument("--tune", action="store_true", help="train the backbone too, at a tenth of the rate")
    training.add_argument("--batch", type=int, default=2, help="photographs a step")
    training.add_argument("--prompts", type=int, default=8, help="prompts a photograph")
    training.add_argument("--rate", type=float, default=1e-3)
    training.add_argument("--steps", type=int, help="a limit of steps, beside or instead of --minutes")
    training.add_argument("--every", type=float, default=5, help="minutes between validations")
    training.add_argument("--validation", type=int, default=40, help="photographs to validate on")
    add_arguments(training, "sam-tiny.pt")
    training.set_defaults(command=train)
    evaluation = commands.add_parser("evaluate", help="on BSDS500")
    evaluation.add_argument("checkpoint", type=Path)
    evaluation.add_argument("bsds", type=Path, help="the folder with images and groundTruth")
    evaluation.add_argument("--limit", type=int, help="photographs at most")
    evaluation.add_argument("--threads", type=int, default=0)
    evaluation.set_defaults(command=evaluate_command)
    exporting = commands.add_parser("export", help="two ONNX files")
    exporting.add_argument("out", type=Path, help="a folder")
    exporting.add_argument("--checkpoint", type=Path, help="random weights without it")
    exporting.add_argument("--seed", type=int, default=0)
    exporting.add_argument("--points", type=int, default=16, help="sam.pointsPerSide")
    exporting.add_argument("--quality", type=float, help="sam.predictedIoUThreshold; 0.88 without it")
    exporting.add_argument("--stability", type=float, help="sam.stabilityThreshold; 0.95 without it")
    exporting.add_argument("--half", action="store_true", help="store weights as float16")
    exporting.add_argument("--data", default="none: random weights", help="training.data")
    exporting.add_argument("--licence", default="Apache-2.0")
    exporting.set_defaults(command=export_command)
    return top


if __name__ == "__main__":
    arguments = parser().parse_args()
    arguments.command(arguments)
