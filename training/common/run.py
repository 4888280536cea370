"""A training run that is limited by time or steps, saves itself, and goes on where it stopped."""

from __future__ import annotations

import argparse
import math
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import nn


def add_arguments(parser: argparse.ArgumentParser, checkpoint: str) -> None:
    """The options that every `train` command has."""
    parser.add_argument("--checkpoint", type=Path, default=Path(checkpoint), help="written, and resumed when it exists")
    parser.add_argument("--minutes", type=float, help="stop after this training time, earlier calls counted in")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="threads of PyTorch; 0 for its own choice")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy and PyTorch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def outlive_signals(_: int) -> None:
    """For a loader's workers: a signal to end reaches them too, and they are needed for the step under way."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


class Run:
    """Counts steps and time, and keeps model, optimizer and counters in one checkpoint.

    Args:
        path: the checkpoint. When it exists, the run continues from it.
        model: on its device already.
        settings: what the model is built from; stored, and returned by `settings_of`.
        minutes: the training time of all calls together; None for no limit.
        steps: the number of steps of all calls together; None for no limit.
        seed: seeds everything; a resumed run draws on from seed and step, not the same numbers again.
    """

    def __init__(self, path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, *, settings: dict[str, Any],
                 minutes: float | None = None, steps: int | None = None, seed: int = 0) -> None:
        if minutes is None and steps is None:
            raise ValueError("a run needs a limit: minutes or steps")
        self.path, self.model, self.optimizer, self.settings = path, model, optimizer, settings
        self.minutes, self.steps = minutes, steps
        self.step, self.seconds, self.best = 0, 0.0, -math.inf
        self.loss = math.nan
        if path.exists():
            state = torch.load(path, map_location="cpu", weights_only=True)
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds, self.best = state["step"], state["seconds"], state["best"]
        self._stopped = False
        self.draw = seed + 1_000_003 * self.step
        seed_everything(self.draw)
        self._since = time.monotonic()

    @property
    def progress(self) -> float:
        """The share of the run that is done, 0 to 1."""
        shares = [self.step / self.steps if self.steps else 0, self.elapsed / 60 / self.minutes if self.minutes else 0]
        return min(1.0, max(shares))

    @property
    def elapsed(self) -> float:
        """Seconds of training, earlier calls counted in."""
        return self.seconds + time.monotonic() - self._since

    def running(self) -> Iterator[int]:
        """Yields the number of each step until the limit, or until the process is asked to end; the caller takes the step.

        After SIGTERM or SIGINT the step under way is the last one, so that the caller can save.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while self.progress < 1 and not self._stopped:
            yield self.step
            self.step += 1

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._stopped = True
        # A second signal ends the process at once.
        signal.signal(number, signal.SIG_DFL)

    def descend(self, loss: torch.Tensor, clip: float | None = None) -> None:
        """One step of the optimizer.

        Raises:
            FloatingPointError: the loss is not finite; what was saved last is still good.
        """
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {float(loss.detach())} at step {self.step}")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), clip)
        self.optimizer.step()
        value = float(loss.detach())
        self.loss = value if math.isnan(self.loss) else 0.98 * self.loss + 0.02 * value

    def cosine(self, peak: float, warm_up: int = 200) -> None:
        """Sets the learning rate: linear warm-up over steps, then half a cosine over the run's progress."""
        rate = peak * min(1.0, (self.step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * self.progress))
        for group in self.optimizer.param_groups:
            group["lr"] = max(rate, 1e-6) * group.get("scale", 1.0)

    def save(self, figure: float | None = None) -> None:
        """Writes the checkpoint, and a second one beside it, `.best`, when `figure` is the highest so far."""
        better = figure is not None and figure > self.best
        if better:
            self.best = float(figure)
        state = {
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "settings": self.settings,
            "step": self.step, "seconds": self.elapsed, "best": self.best,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for target in [self.path, self.path.with_suffix(".best")][: 2 if better else 1]:
            partial = target.with_suffix(target.suffix + ".partial")
            torch.save(state, partial)
            partial.replace(target)

    def report(self, text: str) -> None:
        """A line with time, step, loss and what the caller measured."""
        print(f"{self.elapsed / 60:7.1f} min  step {self.step:6d}  loss {self.loss:.4f}  {text}", flush=True)


def settings_of(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The settings and the weights in a checkpoint."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    return state["settings"], state["model"]
