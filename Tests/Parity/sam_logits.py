#!/usr/bin/env python3
"""Logits of SAM by `convert --run` against the published predictor's in PyTorch, with random weights.

    sam_logits.py CONVERT OUT PHOTO …

ViT-B at its own width and 1024 x 1024 pixels with fewer blocks, exported with the published wrapper. The runtime encodes the
photo, its embedding goes into the runtime's decoder with each prompt; what comes out at the photo's size must equal the
predictor's logits to 1e-4 of their maximum.
"""
import os
import subprocess
import sys
import warnings

import numpy as np
import torch
from PIL import Image
from segment_anything import SamPredictor
from segment_anything.build_sam import _build_sam
from segment_anything.utils.onnx import SamOnnxModel

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.manual_seed(0)
convert, out, photos = sys.argv[1], sys.argv[2], sys.argv[3:]
os.makedirs(out, exist_ok=True)


def path(name):
    return os.path.join(out, name)


def run(model, **inputs):
    np.savez(path("in.npz"), **inputs)
    subprocess.run([convert, path(model), "--run", path("in.npz"), "--save", path("out.npz")], check=True,
                   capture_output=True)
    return dict(np.load(path("out.npz")))


sam = _build_sam(encoder_embed_dim=768, encoder_depth=3, encoder_num_heads=12, encoder_global_attn_indexes=[2]).eval()
for name, parameter in sam.named_parameters():
    # Published weights are not zero there; zeros would hide mistakes.
    if "rel_pos" in name or "pos_embed" in name:
        torch.nn.init.normal_(parameter, std=.02)
torch.onnx.export(sam.image_encoder, torch.zeros(1, 3, 1024, 1024), path("sam_encoder.onnx"), input_names=["image"],
                  output_names=["image_embeddings"], dynamo=False, opset_version=17)
names = ["image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"]
torch.onnx.export(
    SamOnnxModel(sam, return_single_mask=False),
    (torch.zeros(1, 256, 64, 64), torch.rand(1, 5, 2) * 1024, torch.ones(1, 5), torch.zeros(1, 1, 256, 256),
     torch.zeros(1), torch.tensor([600., 800.])),
    path("sam_decoder.onnx"), input_names=names, output_names=["masks", "iou_predictions", "low_res_masks"],
    dynamic_axes={"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}}, dynamo=False, opset_version=17)

worst = 0
for photo in photos:
    image = np.asarray(Image.open(photo).convert("RGB"))
    height, width = image.shape[:2]
    predictor = SamPredictor(sam)
    predictor.set_image(image)
    # The photo resized as published, normalised and padded by NumPy.
    resized = predictor.transform.apply_image(image)
    x = np.zeros((1, 3, 1024, 1024), np.float32)
    mean, std = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    x[0, :, :resized.shape[0], :resized.shape[1]] = ((resized - mean) / std).transpose(2, 0, 1)
    embedding = run("sam_encoder.onnx", image=x)["image_embeddings"]
    expected = predictor.features.numpy()
    print(f"{os.path.basename(photo)} embedding {np.abs(embedding - expected).max() / np.abs(expected).max():.1e}", flush=True)
    prompts = [([[width * .3, height * .4]], [1], None),
               ([[width * .3, height * .4], [width * .7, height * .5], [5, 5]], [1, 1, 0], None),
               (None, None, [width * .2, height * .1, width * .8, height * .7])]
    for points, labels, box in prompts:
        coordinates = np.array(points if points else np.reshape(box, (2, 2)), np.float64)
        marks = labels if labels else [2, 3]
        coordinates = predictor.transform.apply_coords(coordinates, (height, width))
        if box is None:
            coordinates, marks = np.concatenate([coordinates, [[0, 0]]]), marks + [-1]
        result = run("sam_decoder.onnx", image_embeddings=embedding, point_coords=coordinates[None].astype(np.float32),
                     point_labels=np.array([marks], np.float32), mask_input=np.zeros((1, 1, 256, 256), np.float32),
                     has_mask_input=np.zeros(1, np.float32), orig_im_size=np.array([height, width], np.float32))
        for several, chosen in ((True, slice(1, 4)), (False, slice(0, 1))):
            masks, qualities, _ = predictor.predict(
                None if points is None else np.array(points), None if labels is None else np.array(labels),
                None if box is None else np.array(box), multimask_output=several, return_logits=True)
            logits = np.abs(result["masks"][0, chosen] - masks).max() / np.abs(masks).max()
            quality = np.abs(result["iou_predictions"][0, chosen] - qualities).max()
            worst = max(worst, logits)
            print(f"  {'points' if points else 'box'} {marks}, {masks.shape[0]} masks: logits {logits:.1e} of the maximum, "
                  f"predicted IoU {quality:.1e}", flush=True)
print(f"worst {worst:.1e}")
sys.exit(0 if worst <= 1e-4 else 1)
