#!/usr/bin/env python3
"""Reference values for the tests of the method, from PyTorch and the published Segment Anything package.

    python3 -m venv venv && venv/bin/pip install torch torchvision numpy segment-anything
    venv/bin/python Tests/Fixtures/method.py

Writes method.json beside itself: low-resolution masks brought to image size by two bilinear resizes, and the masks that
the published automatic mask generator makes when the network is replaced by a formula (`prediction` below, written again
in the tests).
"""
import json, os
from unittest import mock
import numpy as np, torch, torch.nn.functional as F
from segment_anything import SamAutomaticMaskGenerator
from segment_anything.utils.transforms import ResizeLongestSide

FRAME, LOW = 1024, 256


def postprocess(low, frame, content, size):
    """[n, 1, l, l] logits to [n, 1, *size], as Sam.postprocess_masks does."""
    big = F.interpolate(low, (frame, frame), mode="bilinear", align_corners=False)
    return F.interpolate(big[..., :content[0], :content[1]], size, mode="bilinear", align_corners=False)


def upsampling():
    generator = torch.Generator().manual_seed(1)
    low = torch.randn(1, 1, 16, 16, generator=generator)
    cases = []
    for width, height in ((50, 34), (97, 65), (31, 64)):
        content = ResizeLongestSide.get_preprocess_shape(height, width, 64)
        result = postprocess(low, 64, content, (height, width))
        cases.append(dict(width=width, height=height, values=[round(v, 6) for v in result.flatten().tolist()]))
    return dict(side=16, frame=64, logits=[round(v, 6) for v in low.flatten().tolist()], cases=cases)


def prediction(x, y):
    """The four low-resolution masks and qualities for a point of the frame: discs around the middle of the point's cell."""
    cx, cy = (x // 180) * 180 + 90, (y // 180) * 180 + 90
    grid = (np.arange(LOW) + .5) * (FRAME / LOW)
    distance = np.sqrt((grid[None, :] - cx) ** 2 + (grid[:, None] - cy) ** 2)
    cell = (cx + cy) / 180 % 7
    masks, qualities = [], []
    for token in range(4):
        radius, steepness = 20 + 37 * token, .4 + .25 * token + (cell % 3) * .15
        masks.append((radius - distance) / steepness)
        qualities.append(.80 + .06 * token + .004 * cell)
    return np.stack(masks).astype(np.float32), np.array(qualities, np.float32)


class Predictor:
    """Stands in for SamPredictor: the published code calls nothing else of it."""
    def __init__(self, *_):
        self.transform = ResizeLongestSide(FRAME)
        self.model = mock.Mock(mask_threshold=0.0)
        self.device = "cpu"

    def set_image(self, image):
        self.size = image.shape[:2]

    def reset_image(self):
        pass

    def predict_torch(self, points, labels, multimask_output, return_logits):
        assert multimask_output and return_logits
        masks, qualities = zip(*(prediction(*map(float, p[0])) for p in points))
        low = torch.from_numpy(np.stack(masks))[:, 1:]
        content = self.transform.get_preprocess_shape(*self.size, FRAME)
        return postprocess(low, FRAME, content, self.size), torch.from_numpy(np.stack(qualities))[:, 1:], low


def generated(width, height, **options):
    with mock.patch("segment_anything.automatic_mask_generator.SamPredictor", Predictor):
        generator = SamAutomaticMaskGenerator(None, **options)
    masks = generator.generate(np.zeros((height, width, 3), np.uint8))
    return dict(
        width=width, height=height, options=options,
        masks=[dict(bbox=m["bbox"], area=int(m["area"]), quality=m["predicted_iou"], stability=m["stability_score"]) for m in masks])


fixtures = dict(
    upsampling=upsampling(),
    generation=[
        generated(300, 200, points_per_side=7),
        generated(640, 290, points_per_side=6),
        generated(700, 600, points_per_side=6, crop_n_layers=1, crop_n_points_downscale_factor=2),
    ])
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "method.json"), "w") as file:
    json.dump(fixtures, file, separators=(",", ":"))
for case in fixtures["generation"]:
    print(case["width"], case["height"], case["options"], len(case["masks"]), [m["stability"] for m in case["masks"]][:6])
