"""WCBnet: shapes, the closed form of Grad-CAM, export, training that resumes."""

import math
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
import torch

from training.common.export import TOLERANCE, export
from training.common.run import settings_of
from training.wcbnet.__main__ import best_threshold, false_alarms, loss, parser
from training.wcbnet.grid import GridBlocks, cosines
from training.wcbnet.model import ResNet50Blocks, WCBnet, fused
from training.wcbnet.tiny import TinyBlocks


def command(*words: object) -> None:
    arguments = parser().parse_args([str(word) for word in words])
    arguments.command(arguments)


def test_resnet50_blocks_are_the_papers() -> None:
    with torch.no_grad():
        shapes = [tuple(x.shape[1:]) for x in ResNet50Blocks().eval()(torch.zeros(1, 3, 384, 384))]
    assert shapes == [(64, 192, 192), (256, 96, 96), (512, 48, 48), (1024, 24, 24), (2048, 12, 12)]


def test_each_view_has_its_blocks_resolution() -> None:
    model = WCBnet(TinyBlocks(), (2, 3, 4), depth=8).eval()
    with torch.no_grad():
        outputs = model(torch.randn(2, 3, 64, 96))
    assert model.outputs == ["logit_2", "features_2", "logit_3", "features_3", "logit_4", "features_4"]
    assert [tuple(x.shape) for x in outputs] == [
        (2, 1), (2, 40, 16, 24), (2, 1), (2, 40, 8, 12), (2, 1), (2, 40, 4, 6)]


def test_the_closed_form_is_grad_cam() -> None:
    model = WCBnet(TinyBlocks(), (3,), depth=8).eval()
    logit, features = model(torch.randn(1, 3, 64, 64))
    features_gradient, = torch.autograd.grad(logit.sum(), features)
    weights = features_gradient.mean((2, 3), keepdim=True)
    expected = torch.relu((weights * features).sum(1)) * features.shape[2] * features.shape[3]
    closed, = model.activations((logit, features))
    assert torch.allclose(closed, expected, atol=1e-5)


@pytest.mark.parametrize("gated", [False, True])
def test_a_logit_is_the_mean_of_what_its_places_add(gated: bool) -> None:
    model = WCBnet(TinyBlocks(), (2, 4), depth=8, gated=gated).eval()
    outputs = model(torch.randn(2, 3, 64, 96))
    for logit, places in zip(outputs[::2], model.places(outputs), strict=True):
        assert torch.allclose(places.mean((1, 2)), logit[:, 0], atol=1e-5)


def test_only_authentic_pictures_raise_false_alarms() -> None:
    places = torch.stack([torch.full((2, 3), 1.5), torch.full((2, 3), -4.0), torch.full((2, 3), 9.0)])
    found = false_alarms(places, torch.tensor([0.0, 0.0, 1.0]))
    assert found.item() == pytest.approx((math.log1p(math.exp(1.5)) + math.log1p(math.exp(-4))) / 2)
    assert false_alarms(places, torch.ones(3)).item() == 0


def test_the_best_threshold_parts_the_classes() -> None:
    assert best_threshold([0.1, 3.0, 2.0, 0.4], [False, True, True, False]) == (1.2, 1)
    assert best_threshold([5.0, 1.0, 2.0], [False, True, True])[0] == 0
    assert best_threshold([5.0, 1.0, 2.0], [True, False, False])[0] == 3.5


def test_fusion_is_a_floored_geometric_mean() -> None:
    maps = [torch.tensor([[[0.0, 2.0]]]), torch.tensor([[[1.0, 5.0]]])]
    assert torch.allclose(fused(maps, (1, 2)), torch.tensor([[[1e-3, 1.0]]]))


@pytest.mark.parametrize("views", ["2", "3", "4", "2,3,4", "plain"])
def test_exports_agree_with_onnx_runtime(views: str, tmp_path: Path) -> None:
    command("export", tmp_path / "m.onnx", "--views", views, "--backbone", "tiny", "--depth", 16, "--scale", "native",
            "--side", 96)
    model = onnx.load(tmp_path / "m.onnx")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["tamperscope.role"] == "classifier"
    assert metadata["errorLevels.scale"] == "native" and metadata["input.size"] == "dynamic/32"
    names = [name for pair in metadata["views"].split(",") for name in pair.split(":")]
    assert names == [output.name for output in model.graph.output]


def test_resnet50_exports_within_the_tolerance(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = WCBnet(ResNet50Blocks(), (2, 3, 4))
    x = torch.randn(1, 3, 128, 128)
    error = export(model, (x,), tmp_path / "m.onnx", inputs=["error_levels"], outputs=model.outputs, metadata={})
    assert 0 < error <= TOLERANCE


def test_weights_as_float16_halve_the_file(tmp_path: Path) -> None:
    for name, options in (("single", []), ("half", ["--half"])):
        command("export", tmp_path / f"{name}.onnx", "--backbone", "tiny", "--side", 96, *options)
    single, half = ((tmp_path / f"{name}.onnx").stat().st_size for name in ("single", "half"))
    assert half < 0.6 * single


def test_training_stops_and_goes_on(dataset: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "w.pt"
    words = ["train", dataset, "--backbone", "tiny", "--depth", 8, "--side", 64, "--batch", 3, "--workers", 0,
             "--validation", 0.25, "--checkpoint", checkpoint, "--threads", 1]
    command(*words, "--epochs", 1)
    first = torch.load(checkpoint, weights_only=True)
    assert first["step"] == 2
    command(*words, "--epochs", 3)
    last = torch.load(checkpoint, weights_only=True)
    assert last["step"] == 6 and last["seconds"] > first["seconds"]
    assert any(not torch.equal(a, b) for a, b in zip(first["model"].values(), last["model"].values()))
    assert settings_of(checkpoint)[0]["backbone"] == "tiny"


def test_the_same_seed_gives_the_same_weights(dataset: Path, tmp_path: Path) -> None:
    states = []
    for name in ("a", "b"):
        command("train", dataset, "--backbone", "tiny", "--depth", 8, "--side", 64, "--batch", 3, "--workers", 0,
                "--validation", 0, "--checkpoint", tmp_path / name, "--epochs", 1, "--seed", 7, "--threads", 1)
        states.append(torch.load(tmp_path / name, weights_only=True)["model"])
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_training_learns_what_differs(tmp_path: Path) -> None:
    """Flat pictures against noise, whose error levels differ: the loss must fall well below chance."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for folder in ("Tp", "Gt", "Au"):
        (tmp_path / folder).mkdir()
    for index in range(6):
        Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / "Tp" / f"{index}.png")
        Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save(tmp_path / "Gt" / f"{index}.png")
        Image.fromarray(np.full((64, 64, 3), 20 * index, np.uint8)).save(tmp_path / "Au" / f"a{index}.png")
    done = subprocess.run(
        [sys.executable, "-m", "training.wcbnet", "train", tmp_path, "--backbone", "tiny", "--depth", "8", "--side",
         "64", "--batch", "6", "--workers", "0", "--validation", "0.34", "--rate", "0.05", "--epochs", "20",
         "--checkpoint", tmp_path / "w.pt"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert "image AUC 1.000" in done.stdout.splitlines()[-1]


def test_the_grids_filters_are_jpegs_frequencies() -> None:
    basis = cosines().double().flatten(1)
    assert torch.allclose(basis @ basis.t(), torch.eye(64, dtype=torch.float64), atol=1e-6)
    assert torch.allclose(basis[0], torch.full((64,), 1 / 8, dtype=torch.float64), atol=1e-6)


def test_the_grids_stem_and_gates_begin_without_effect() -> None:
    plain, more = WCBnet(TinyBlocks(), (2, 4), 8).eval(), WCBnet(GridBlocks(), (2, 4), 8, gated=True).eval()
    more.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(2, 3, 64, 64) * 0.05
    with torch.no_grad():
        for expected, got in zip(plain(x), more(x), strict=True):
            assert torch.allclose(expected, got, atol=1e-5)


def test_a_gates_features_are_still_averaged_by_the_head() -> None:
    model = WCBnet(GridBlocks(), (3,), 8, gated=True).eval()
    torch.nn.init.normal_(model.gates[0].layers[2].weight)
    with torch.no_grad():
        logit, features = model(torch.randn(1, 3, 64, 96))
        assert torch.allclose(model.heads[0](features.mean((2, 3))), logit, atol=1e-5)


def test_pairs_are_asked_to_be_in_order() -> None:
    labels = torch.tensor([0.0, 1, 0, 1])
    right, wrong = torch.tensor([-1.0, 1, -2, 2]), torch.tensor([1.0, -1, 2, -2])
    assert loss(right, labels, paired=True) < loss(wrong, labels, paired=True)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(right, labels)
    assert torch.allclose(loss(right, labels, paired=False), entropy)
    assert torch.allclose(loss(right, labels, paired=True) - entropy,
                          torch.nn.functional.softplus(torch.tensor([-2.0, -4])).mean())
