"""DeepLab-lite and PSPNet-lite: the backbone's weights, distillation, agreement, training that resumes, export."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from training.backbones.mobilenet import MobileNetV2
from training.semantic.__main__ import agreement, distillation, parser
from training.photos.pool import photos
from training.semantic.features import balanced
from training.semantic.model import CLASSES, CONTEXTS, Segmenter


def command(*words: object) -> None:
    arguments = parser().parse_args([str(word) for word in words])
    arguments.command(arguments)


def test_strides_sample_the_same_features(teacher: Path) -> None:
    """A stage that strides sees what the dilated one sees, at every second place."""
    fine, coarse = MobileNetV2(8).eval(), MobileNetV2(16).eval()
    for net in (fine, coarse):
        net.load_deeplab(teacher)
    x = torch.randn(1, 3, 129, 129)
    with torch.no_grad():
        expected, got = fine(x)[-1], coarse(x)[-1]
    assert torch.allclose(expected[..., ::2, ::2], got, atol=1e-4)


def test_other_convolutions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    torch.onnx.export(torch.nn.Conv2d(3, 5, 3), (torch.zeros(1, 3, 9, 9),), str(path), dynamo=False)
    with pytest.raises(ValueError, match="other.onnx"):
        MobileNetV2().load_deeplab(path)


@pytest.mark.parametrize("kind", CONTEXTS)
def test_logits_have_the_inputs_size(kind: str) -> None:
    model = Segmenter(kind).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, model.side, model.side)).shape == (1, len(CLASSES), model.side, model.side)


def test_distillation_is_least_at_the_teachers_logits() -> None:
    teacher = torch.randn(2, 21, 5, 5)
    weights = torch.rand(21) + 0.5
    same = distillation(teacher, teacher, weights)
    assert same < distillation(teacher + torch.randn_like(teacher), teacher, weights)
    probabilities = teacher.softmax(1)
    weight = (probabilities * weights[None, :, None, None]).sum(1)
    entropy = -(probabilities * probabilities.log()).sum(1)
    assert torch.allclose(same, (entropy * weight).sum() / weight.sum())


def test_rare_classes_are_drawn_more_often_and_weigh_more(pool: Path) -> None:
    found = photos(pool)
    shares, weights = balanced(found)
    assert len(shares) == len(found) and min(shares) > 0
    areas = np.mean([np.bincount(photo.teacher()[0].ravel(), minlength=21) / photo.teacher()[0].size
                     for photo in found], axis=0)
    assert weights[0] == 1 and weights.max() <= 20
    seen = np.flatnonzero(areas)
    assert (np.diff(weights.numpy()[seen[np.argsort(areas[seen])]]) <= 0).all()


def test_agreement_counts_the_classes_that_the_teacher_sees() -> None:
    class Fixed(torch.nn.Module):
        side = 4

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logits = torch.zeros(1, 21, 4, 4)
            logits[:, 0] = 1
            logits[:, 5, :, 2:] = 2
            return logits

    classes = np.zeros((4, 4), np.uint8)
    classes[:, 1:] = 5
    figures = agreement(Fixed(), iter([(Image.new("RGB", (4, 4)), classes)]))
    assert figures["classes"] == 2
    assert figures["mean IoU"] == pytest.approx((4 / 8 + 8 / 12) / 2)
    assert figures["pixels"] == pytest.approx(12 / 16)


def test_training_stops_and_goes_on(pool: Path, teacher: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "d.pt"
    words = ["train", "pspnet", pool, "--teacher", teacher, "--checkpoint", checkpoint, "--batch", 2, "--threads", 1,
             "--device", "cpu"]
    command(*words, "--steps", 1)
    command(*words, "--steps", 2)
    assert torch.load(checkpoint, weights_only=True)["step"] == 2


@pytest.mark.parametrize("kind", CONTEXTS)
def test_export_carries_the_role(kind: str, tmp_path: Path) -> None:
    command("export", tmp_path / "m.onnx", "--kind", kind, "--half")
    metadata = {entry.key: entry.value for entry in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert metadata["tamperscope.role"] == kind
    assert metadata["output.classes"].split(",") == list(CLASSES)
