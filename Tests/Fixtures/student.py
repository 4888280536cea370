"""A small graph with a student's contract, and the map that PyTorch makes of a photo with it.

    python student.py      # writes student/
"""
import json
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import helper
from PIL import Image

HERE = Path(__file__).parent
SIDE = 64
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main():
    torch.manual_seed(7)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(8, 1, 1)).eval()
    with torch.no_grad():
        model[4].weight *= 6
    folder = HERE / "student"
    folder.mkdir(exist_ok=True)
    path = folder / "student.onnx"
    torch.onnx.export(
        model, torch.zeros(1, 3, SIDE, SIDE), str(path), input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}}, dynamo=False, opset_version=17)
    graph = onnx.load(path)
    helper.set_model_props(graph, {
        "tamperscope.role": "student", "input.layout": "NCHW", "input.color": "RGB", "input.range": "0-1",
        "input.mean": ",".join(map(str, MEAN)), "input.std": ",".join(map(str, STD)), "input.size": f"{SIDE},{SIDE}",
        "input.resize": "stretch", "output.kind": "logits", "training.data": "none: random weights"})
    onnx.save(graph, path)

    photo = Image.open(HERE / "images" / "rgb8.png").convert("RGB")
    pixels = np.asarray(photo.resize((SIDE, SIDE), Image.BILINEAR), np.float32) / 255
    image = torch.from_numpy(((pixels - MEAN) / STD).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        logits = model(image)
        enlarged = F.interpolate(logits, (photo.height, photo.width), mode="bilinear", align_corners=False)
        values = torch.sigmoid(enlarged)[0, 0]
    (folder / "expected.json").write_text(json.dumps({
        "photo": "rgb8.png", "width": photo.width, "height": photo.height,
        "map": [round(float(v), 6) for v in values.flatten()]}))
    print(photo.size, float(values.min()), float(values.max()))


main()
