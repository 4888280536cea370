"""Runs: limits, resuming, rates, and ending when asked to."""

import os
import signal
from pathlib import Path

import pytest
import torch

from training.common.run import Run, outlive_signals, settings_of


def make(path: Path, **limits: float) -> Run:
    model = torch.nn.Linear(2, 1)
    return Run(path, model, torch.optim.SGD(model.parameters(), 0.1), settings={"a": 1}, **limits)


def test_a_limit_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        make(tmp_path / "r.pt")


def test_steps_are_counted_over_calls(tmp_path: Path) -> None:
    first = make(tmp_path / "r.pt", steps=3)
    assert list(first.running()) == [0, 1, 2]
    first.save()
    second = make(tmp_path / "r.pt", steps=5)
    assert list(second.running()) == [3, 4]
    assert second.draw != first.draw
    assert all(torch.equal(a, b) for a, b in zip(first.model.state_dict().values(), second.model.state_dict().values()))


def test_minutes_are_counted_over_calls(tmp_path: Path) -> None:
    first = make(tmp_path / "r.pt", steps=1)
    first.seconds = 60.0
    first.save()
    assert not list(make(tmp_path / "r.pt", minutes=0.5).running())


def test_the_best_state_is_kept_beside_the_last(tmp_path: Path) -> None:
    run = make(tmp_path / "r.pt", steps=9)
    for step, figure in enumerate((0.2, 0.5, 0.4)):
        run.step = step
        run.save(figure)
    assert torch.load(tmp_path / "r.best", weights_only=True)["step"] == 1
    assert torch.load(tmp_path / "r.pt", weights_only=True)["step"] == 2
    assert settings_of(tmp_path / "r.best")[0] == {"a": 1}


def test_the_rate_rises_and_falls(tmp_path: Path) -> None:
    run = make(tmp_path / "r.pt", steps=100)
    rates = []
    for _ in run.running():
        run.cosine(1.0, warm_up=10)
        rates.append(run.optimizer.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(0.1) and max(rates) == max(rates[8:12]) and rates[-1] < 0.01


def test_a_signal_ends_the_run_after_its_step(tmp_path: Path) -> None:
    run = make(tmp_path / "r.pt", steps=100)
    done = []
    for step in run.running():
        done.append(step)
        if step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
    assert done == [0, 1, 2] and run.step == 3


def test_a_loaders_workers_outlive_signals() -> None:
    loader = torch.utils.data.DataLoader(range(40), 2, num_workers=1, worker_init_fn=outlive_signals)
    batches = iter(loader)
    received = [next(batches)]
    for worker in batches._workers:
        os.kill(worker.pid, signal.SIGTERM)
        os.kill(worker.pid, signal.SIGINT)
    received += list(batches)
    assert torch.cat(received).tolist() == list(range(40))


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path: Path) -> None:
    run = make(tmp_path / "r.pt", steps=2)
    with pytest.raises(FloatingPointError, match="step 0"):
        run.descend(run.model(torch.full((1, 2), torch.inf)).sum())
