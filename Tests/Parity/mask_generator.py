#!/usr/bin/env python3
"""Masks of `pipeline segment --seg sam` against the published automatic mask generator's.

    mask_generator.py PIPELINE OUT PHOTO.png …

The network draws a smooth blob at every prompt (Tests/Fixtures/blob_network.py): the published generator runs it in PyTorch,
`pipeline` as two ONNX graphs of the official contract. Each photo is segmented with several settings; in each the number of
masks must agree, every mask must have a counterpart of an IoU of .99 or more, and at least 30 masks must survive.
"""
import json
import os
import shutil
import subprocess
import sys
import warnings

import numpy as np
import torch
from PIL import Image
from segment_anything import SamAutomaticMaskGenerator

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Fixtures"))
import blob_network  # noqa: E402

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
SETTINGS = [
    (dict(), []),
    (dict(points_per_side=16, crop_n_layers=1, crop_n_points_downscale_factor=2),
     ["--sam-points-per-side", "16", "--sam-crop-layers", "1", "--sam-crop-points-divisor", "2"]),
    (dict(points_per_side=16, min_mask_region_area=400),
     ["--sam-points-per-side", "16", "--sam-min-region-area", "400"]),
    (dict(points_per_side=12, pred_iou_thresh=.9, stability_score_thresh=.9, stability_score_offset=1.5, box_nms_thresh=.5,
          crop_n_layers=1, crop_nms_thresh=.6, crop_overlap_ratio=.25, min_mask_region_area=150),
     ["--sam-points-per-side", "12", "--sam-iou-threshold", ".9", "--sam-stability-threshold", ".9",
      "--sam-stability-offset", "1.5", "--sam-nms-threshold", ".5", "--sam-crop-layers", "1", "--sam-crop-nms-threshold",
      ".6", "--sam-crop-overlap", ".25", "--sam-min-region-area", "150"]),
]


def counterparts(ours, theirs):
    """For each of the published masks the IoU with its counterpart: the best among those left."""
    flat = np.array([m.reshape(-1) for m in ours], np.float32)
    areas = flat.sum(1)
    free = np.ones(len(ours), bool)
    result = []
    for mask in theirs:
        other = mask.reshape(-1).astype(np.float32)
        shared = flat @ other
        overlaps = np.where(free, shared / (areas + other.sum() - shared), -1)
        best = int(overlaps.argmax())
        free[best] = False
        result.append((float(overlaps[best]), best))
    return result


def main():
    pipeline, out, photos = sys.argv[1], sys.argv[2], sys.argv[3:]
    models = os.path.join(out, "blob-models")
    os.makedirs(models, exist_ok=True)
    model = blob_network.export(
        1024, os.path.join(models, "encoder.onnx"), os.path.join(models, "decoder.onnx"))
    failed = 0
    print("photo | settings | masks | published | lowest IoU | mean IoU | predicted IoU, difference | stability, difference")
    for photo in photos:
        image = np.asarray(Image.open(photo).convert("RGB"))
        for options, flags in SETTINGS:
            results = os.path.join(out, "blob-masks")
            shutil.rmtree(results, ignore_errors=True)
            command = [pipeline, "segment", "--seg", "sam", "--models", models, "--out", results, "--json", *flags, photo]
            report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            ours = [np.asarray(Image.open(c["mask"])) > 0 for c in report["candidates"]]
            published = SamAutomaticMaskGenerator(model, points_per_batch=16, **options).generate(image)
            pairs = counterparts(ours, [m["segmentation"] for m in published]) if len(ours) >= len(published) else []
            lowest = min((iou for iou, _ in pairs), default=0)
            mean = float(np.mean([iou for iou, _ in pairs])) if pairs else 0
            candidates = [report["candidates"][index] for _, index in pairs]
            quality = max((abs(c["predictedIoU"] - m["predicted_iou"]) for c, m in zip(candidates, published)), default=1)
            stability = max((abs(c["stability"] - m["stability_score"]) for c, m in zip(candidates, published)), default=1)
            name = ", ".join(f"{k} {v}" for k, v in options.items()) or "defaults"
            print(f"{os.path.basename(photo)} | {name} | {len(ours)} | {len(published)} | {lowest:.5f} | {mean:.6f} | "
                  f"{quality:.1e} | {stability:.1e}", flush=True)
            if len(ours) != len(published) or lowest < .99 or len(ours) < 30:
                failed += 1
    sys.exit(1 if failed else 0)


main()
