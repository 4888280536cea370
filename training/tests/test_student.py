"""The student: shapes, the fusion's formula, export, training that resumes."""

from pathlib import Path

import onnx
import pytest
import torch

from training.student.__main__ import parser
from training.student.model import GatedFusion, MobileScales, PrototypeMemory, Student, TinyConvolutions, TinyViT, cost


def command(*words: object) -> None:
    arguments = parser().parse_args([str(word) for word in words])
    arguments.command(arguments)


def test_tinyvit_has_the_papers_scales_and_cost() -> None:
    with torch.no_grad():
        scales = TinyViT().eval()(torch.zeros(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in scales] == [(64, 56, 56), (128, 28, 28), (160, 14, 14), (320, 7, 7)]
    parameters, operations = cost(Student(TinyViT()))
    assert 5.0e6 < parameters < 5.6e6
    assert 1.3e9 < operations < 1.6e9


def test_the_mobile_backbone_sees_what_its_teacher_sees() -> None:
    backbone = MobileScales().eval()
    picture = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        scales = backbone((picture - backbone.mean) / backbone.deviation)
        stages = backbone.net(2 * picture - 1)
    assert [tuple(x.shape[1:]) for x in scales] == [(24, 16, 24), (32, 8, 12), (96, 4, 6), (320, 2, 3)]
    assert all(torch.allclose(x, stages[index], atol=1e-4) for x, index in zip(scales, (1, 2, 4, 6), strict=True))


@pytest.mark.parametrize("side", [64, 96])
def test_the_map_has_a_quarter_of_the_side(side: int) -> None:
    with torch.no_grad():
        assert Student(TinyConvolutions(), 16, 8).eval()(torch.zeros(2, 3, side, side)).shape == (
            2, 1, side // 4, side // 4)


def test_the_memory_recalls_the_prototype_that_is_most_similar() -> None:
    memory = PrototypeMemory(4, 3)
    with torch.no_grad():
        memory.prototypes.copy_(torch.eye(4)[:3] * 5)
        memory.query.weight.copy_(torch.eye(4)[:, :, None, None])
        memory.query.bias.zero_()
        memory.sharpness.fill_(5)
        recalled = memory(torch.tensor([0.0, 3, 0.1, 0]).reshape(1, 4, 1, 1))
    assert torch.allclose(recalled.flatten(), torch.tensor([0.0, 5, 0, 0]), atol=1e-4)


def test_the_fusion_is_its_formula() -> None:
    torch.manual_seed(0)
    fusion = GatedFusion((3, 5), depth=4, prototypes=6).eval()
    with torch.no_grad():
        fusion.balance.fill_(0.7)
        scales = [torch.randn(1, 3, 4, 4), torch.randn(1, 5, 4, 4)]
        projected = [project(x) for project, x in zip(fusion.projections, scales)]
        gates = [torch.sigmoid(gate(x)) for gate, x in zip(fusion.gates, projected)]
        base = gates[0] * projected[0] + gates[1] * projected[1]
        alpha = torch.sigmoid(torch.tensor(0.7))
        expected = alpha * base * (gates[0] + gates[1]) / 2 + (1 - alpha) * fusion.memory(base)
        assert torch.allclose(fusion(scales), expected, atol=1e-6)


@pytest.mark.parametrize("backbone", ["tinyvit", "tiny"])
def test_export_carries_the_role(backbone: str, tmp_path: Path) -> None:
    command("export", tmp_path / "s.onnx", "--backbone", backbone)
    model = onnx.load(tmp_path / "s.onnx")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["tamperscope.role"] == "student" and metadata["output.kind"] == "logits"
    assert metadata["input.size"] == "224,224"


def test_training_stops_and_goes_on(dataset: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "s.pt"
    words = ["train", dataset, "--backbone", "tiny", "--depth", 8, "--prototypes", 4, "--side", 64, "--batch", 3,
             "--workers", 0, "--validation", 0.25, "--checkpoint", checkpoint, "--threads", 1]
    command(*words, "--epochs", 1)
    assert torch.load(checkpoint, weights_only=True)["step"] == 2
    command(*words, "--epochs", 2)
    assert torch.load(checkpoint, weights_only=True)["step"] == 4
