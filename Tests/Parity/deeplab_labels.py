#!/usr/bin/env python3
"""Labels of `pipeline segment --seg deeplab` against ONNX Runtime and NumPy.

    deeplab_labels.py PIPELINE OUT MODEL.onnx PHOTO …

The model's metadata says how an image is fed to it (input.size H,W, input.resize stretch, output.kind logits). Here the photo
is decoded and resized by Pillow, the network run by ONNX Runtime, its scores brought to the photo's size by bilinear
interpolation with half-pixel centres in double precision, and the highest taken. Prints the share of pixels of equal label of
every photo, the lowest and the mean; fails below .999.
"""
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from PIL import Image


def numbers(text):
    return np.array([float(v) for v in text.split(",")], np.float32)


class Network:
    def __init__(self, path):
        self.metadata = {p.key: p.value for p in onnx.load(path, load_external_data=False).metadata_props}
        assert self.metadata["input.resize"] == "stretch" and self.metadata["output.kind"] == "logits"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.size = [int(v) for v in self.metadata["input.size"].split(",")]
        self.classes = self.metadata["output.classes"].split(",")

    def labels(self, image):
        data = self.metadata
        height, width = self.size
        resized = np.asarray(Image.fromarray(image).resize((width, height), Image.BILINEAR)).astype(np.float32)
        x = {"0-255": resized, "0-1": resized / 255, "-1-1": resized / np.float32(127.5) - 1}[data["input.range"]]
        if data["input.color"] == "BGR":
            x = x[..., ::-1]
        x = ((x - numbers(data["input.mean"])) / numbers(data["input.std"])).astype(np.float32)
        if data["input.layout"] == "NCHW":
            x = x.transpose(2, 0, 1)
        scores = self.session.run(None, {self.session.get_inputs()[0].name: x[None]})[0][0]
        if scores.shape[0] != len(self.classes):
            scores = scores.transpose(2, 0, 1)
        return self.enlarged(scores.astype(np.float64), *image.shape[:2]).argmax(0)

    @staticmethod
    def enlarged(scores, height, width):
        def axis(count, samples):
            position = np.clip((np.arange(count) + .5) * samples / count - .5, 0, samples - 1)
            first = np.minimum(position.astype(int), max(samples - 2, 0))
            return first, np.minimum(first + 1, samples - 1), position - first
        top, bottom, down = axis(height, scores.shape[1])
        left, right, across = axis(width, scores.shape[2])
        rows = scores[:, top] * (1 - down)[:, None] + scores[:, bottom] * down[:, None]
        return rows[:, :, left] * (1 - across) + rows[:, :, right] * across


def main():
    pipeline, out, model, photos = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    network = Network(model)
    results = os.path.join(out, "labels")
    shutil.rmtree(results, ignore_errors=True)
    command = [pipeline, "segment", "--seg", "deeplab", "--background", "--min-area", "0", "--models",
               os.path.dirname(model), "--out", results, "--json", *photos]
    reports = [json.loads(line) for line in
               subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()]
    shares = []
    for photo, report in zip(photos, reports, strict=True):
        expected = network.labels(np.asarray(Image.open(photo).convert("RGB")))
        found = np.full(expected.shape, -1)
        # The first candidate of a class is all of it, the others are its parts.
        seen = set()
        for candidate in report["candidates"]:
            if candidate["label"] not in seen:
                seen.add(candidate["label"])
                found[np.asarray(Image.open(candidate["mask"])) > 0] = network.classes.index(candidate["label"])
        shares.append(float((found == expected).mean()))
        print(f"{os.path.basename(photo)} {shares[-1]:.6f} ({(found != expected).sum()} pixels differ, "
              f"{len(seen)} classes)", flush=True)
    print(f"{len(shares)} photos: lowest {min(shares):.6f}, mean {np.mean(shares):.6f}")
    sys.exit(0 if min(shares) >= .999 else 1)


main()
