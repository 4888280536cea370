"""SAM-tiny: contracts, prompts, losses, training that resumes, export."""

import random
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from training.photos.pool import photos
from training.sam.__main__ import Pair, mask_losses, parser
from training.sam.data import Frames, box, innermost, prompts
from training.sam.decoder import LOW, Decoder
from training.sam.encoder import FRAME, Encoder
from training.sam.evaluation import case, overlaps
from training.sam.prompts import BOTTOM_RIGHT, FOREGROUND, PADDING, TOP_LEFT, PromptEncoder


def command(*words: object) -> None:
    arguments = parser().parse_args([str(word) for word in words])
    arguments.command(arguments)


def square(top: int, left: int, side: int) -> np.ndarray:
    mask = np.zeros((LOW, LOW), bool)
    mask[top:top + side, left:left + side] = True
    return mask


def test_the_decoder_takes_several_prompts_of_each_image() -> None:
    decoder = Decoder().eval()
    embeddings = torch.randn(2, 256, 64, 64)
    points, labels = torch.rand(6, 2, 2) * FRAME, torch.tensor([[1.0, -1]] * 6)
    with torch.no_grad():
        logits, quality = decoder(embeddings, points, labels, torch.zeros(6, 1, LOW, LOW), torch.zeros(1))
        alone, _ = decoder(embeddings[1:], points[3:4], labels[3:4], torch.zeros(1, 1, LOW, LOW), torch.zeros(1))
    assert logits.shape == (6, 4, LOW, LOW) and quality.shape == (6, 4)
    assert torch.allclose(logits[3:4], alone, atol=1e-4)
    assert ((0 <= quality) & (quality <= 1)).all()


def test_a_padding_points_place_does_not_count() -> None:
    encoder = PromptEncoder(16)
    semantic = torch.randn(1, 128, 64, 64)
    labels = torch.tensor([[1.0, -1]])
    first, second = (encoder(semantic, torch.tensor([[[300.0, 200], place]]), labels) for place in ([0, 0], [900, 5]))
    assert all(torch.equal(a, b) for a, b in zip(first, second))


def test_a_boxs_map_is_its_inside() -> None:
    points = torch.tensor([[[256.0, 128], [768, 896]]])
    maps = PromptEncoder(16)(torch.randn(1, 128, 64, 64), points, torch.tensor([[2.0, 3]]))[1]
    inside = torch.zeros(64, 64, dtype=torch.bool)
    inside[8:56, 16:48] = True
    assert torch.equal(maps[0, 2] > 0.5, inside)
    assert not maps[0, :2].any()


def test_earlier_masks_change_the_answer() -> None:
    decoder = Decoder().eval()
    with torch.no_grad():
        results = [decoder(torch.ones(1, 256, 64, 64), torch.rand(1, 1, 2), torch.ones(1, 1),
                           torch.ones(1, 1, LOW, LOW), torch.tensor([given]))[0] for given in (0.0, 1.0)]
    assert not torch.allclose(*results)


@pytest.mark.parametrize("kind, labels", [
    ("point", {FOREGROUND, PADDING}), ("box", {TOP_LEFT, BOTTOM_RIGHT}), ("points", {0, 1, PADDING})])
def test_prompts_fit_their_masks(kind: str, labels: set[int]) -> None:
    masks = torch.from_numpy(np.stack([square(40, 60, 50), square(100, 20, 30)]))
    draw = random.Random(0)
    for _ in range(10):
        points, kinds = prompts(masks, kind, draw)
        assert set(kinds.flatten().int().tolist()) <= labels
        for mask, place, label in zip(masks, points, kinds):
            for (x, y), which in zip(place, label):
                if which in (0, 1):
                    assert bool(mask[int(y) // 4, int(x) // 4]) == (which == 1)


def test_boxes_and_innermost_points_are_in_the_frame() -> None:
    mask = square(40, 60, 51)
    assert box(mask) == (240, 160, 444, 364)
    assert innermost(mask) == (342, 262)


def test_frames_hold_masks_of_what_they_show(pool: Path) -> None:
    frames, masks = next(iter(Frames(photos(pool, held_out=False), 5, seed=2)))
    assert frames.shape == (3, FRAME // 2, FRAME // 2)
    assert masks.shape == (5, LOW, LOW) and masks.dtype == torch.bool and masks.any((1, 2)).all()
    padding = (frames == 0).all(0)
    assert not masks[:, padding[::2, ::2]].any()


def test_losses_fall_as_masks_come_near() -> None:
    truth = torch.from_numpy(np.stack([square(50, 50, 60)]))
    found = torch.stack([torch.from_numpy(np.where(square(at, at, 60), 8.0, -8.0)).float() for at in (50, 52, 120)])[None]
    losses = mask_losses(found, truth)[0].tolist()
    assert losses[0] < 0.1 < losses[1] < losses[2]
    assert overlaps(found, truth)[0].tolist() == pytest.approx([1, 58**2 / (2 * 60**2 - 58**2), 0])


def test_a_cases_regions_lie_inside_the_photograph() -> None:
    from PIL import Image

    labels = np.zeros((60, 90), int)
    labels[:, 45:] = 1
    pixels, masks = case(Image.new("RGB", (90, 60), (9, 9, 9)), labels)
    assert pixels.shape == (341, 512, 3) and len(masks) == 2
    assert masks[1][:170, 130:].all() and not masks[1][172:].any()


def test_training_stops_and_goes_on(pool: Path, teacher: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "sam.pt"
    words = ["train", pool, "--teacher", teacher, "--checkpoint", checkpoint, "--batch", 1, "--prompts", 2,
             "--validation", 1, "--threads", 1, "--device", "cpu"]
    command(*words, "--steps", 1)
    first = torch.load(checkpoint, weights_only=True)
    command(*words, "--steps", 2, "--tune")
    last = torch.load(checkpoint, weights_only=True)
    assert (first["step"], last["step"]) == (1, 2)
    same = [torch.equal(first["model"][key], last["model"][key]) for key in first["model"] if "backbone" in key]
    assert not all(same)


def test_exports_have_the_official_names(tmp_path: Path) -> None:
    command("export", tmp_path)
    encoder, decoder = (onnx.load(tmp_path / f"sam-tiny-{half}.onnx") for half in ("encoder", "decoder"))
    assert [value.name for value in decoder.graph.input] == [
        "image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"]
    assert [value.name for value in decoder.graph.output] == ["masks", "iou_predictions", "low_res_masks"]
    assert [value.name for value in encoder.graph.output] == ["image_embeddings"]
    session = onnxruntime.InferenceSession(str(tmp_path / "sam-tiny-decoder.onnx"))
    for points, (height, width) in ((2, (375, 500)), (5, (1200, 900))):
        masks, quality, low = session.run(None, {
            "image_embeddings": np.zeros((1, 256, 64, 64), np.float32),
            "point_coords": np.full((1, points, 2), 300, np.float32),
            "point_labels": np.ones((1, points), np.float32), "mask_input": np.zeros((1, 1, 256, 256), np.float32),
            "has_mask_input": np.zeros(1, np.float32), "orig_im_size": np.array([height, width], np.float32)})
        assert masks.shape == (1, 4, height, width) and quality.shape == (1, 4) and low.shape == (1, 4, 256, 256)


def test_the_halved_frame_is_the_frame() -> None:
    encoder = Encoder().eval()
    image = torch.randn(1, 3, FRAME, FRAME)
    with torch.no_grad():
        assert torch.equal(encoder(image), encoder.embed(torch.nn.functional.avg_pool2d(image, 2)))
    assert sum(parameter.numel() for parameter in Pair().parameters()) < 3e6
