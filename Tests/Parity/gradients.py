"""Gradients of exported networks through `convert --gradient`, against PyTorch's in binary64 on the same weights.

    gradients.py CONVERT OUT [NAME…]

Every network is compared twice: exported in binary64 at a reduced size, where the two must agree to 1e-6, and in binary32
at full size. There a ReLU or a maximum may fall to the other side by rounding, in PyTorch as here, so that the error
must be within 1e-3 or within twice PyTorch's own in binary32. Errors are of the whole gradient, relative to its norm.
"""
import os
import subprocess
import sys
import warnings

import numpy as np
import torch
import torchvision

from networks import PSPNet, Segmentation, randomize, sam_encoder

warnings.filterwarnings("ignore")
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}


def networks(full):
    """Name, module, input's side, index of the differentiated element, parameters to differentiate by."""
    segmentation = torchvision.models.segmentation
    yield "resnet50", torchvision.models.resnet50(weights=None), 384 if full else 96, (0, 281), [
        "conv1.weight", "bn1.weight", "layer2.0.bn2.bias", "layer3.2.conv2.weight", "fc.weight", "fc.bias"]
    yield "deeplabv3_resnet50", Segmentation(segmentation.deeplabv3_resnet50(
        weights=None, weights_backbone=None)), 257 if full else 65, (0, 12, 30, 40), [
        "model.backbone.layer4.2.conv2.weight", "model.classifier.4.weight"]
    yield "deeplabv3_mobilenet_v3", Segmentation(segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None)), 257 if full else 129, (0, 3, 30, 60), [
        "model.backbone.4.block.1.0.weight", "model.classifier.4.bias"]
    yield "pspnet50", PSPNet(), 240 if full else 96, (0, 40, 60, 33), ["head.0.weight", "head.4.weight"]
    yield "sam_encoder", sam_encoder(512 if full else 256, 4 if full else 2), 512 if full else 256, (0, 100, 9, 7), [
        "blocks.1.attn.rel_pos_h", "blocks.0.attn.qkv.bias", "pos_embed", "neck.1.weight"]


def export(module, example, path):
    # Names of weights survive only where the exporter folds nothing.
    torch.onnx.export(
        module, (example,), path, input_names=["input"], output_names=["output"], dynamo=False, opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)


def reference(module, example, index, names):
    example = example.clone().requires_grad_()
    parameters = dict(module.named_parameters())
    gradients = torch.autograd.grad(module(example)[index], [example] + [parameters[name] for name in names])
    return dict(zip(["input"] + names, [gradient.double().numpy() for gradient in gradients]))


def distance(result, expected):
    return np.linalg.norm(result - expected) / np.linalg.norm(expected)


def compare(convert, base, module, example, index, names, kind):
    """Prints a line for each value; whether all are within bounds."""
    wanted = reference(module.double(), example.double(), index, names)
    module.to(kind)
    own = reference(module, example.to(kind), index, names)
    export(module, example.to(kind), base + ".onnx")
    np.savez(base + ".in.npz", input=example.to(kind).numpy())
    command = [convert, base + ".onnx", "--run", base + ".in.npz", "--save", base + ".out.npz", "--gradient",
               "output", "--at", ",".join(map(str, index))]
    for target in wanted:
        command += ["--by", target]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    results = np.load(base + ".out.npz")
    passed = True
    for target, expected in wanted.items():
        error = distance(results[target + ".gradient"].astype(np.float64), expected)
        noise = distance(own[target], expected)
        passed &= bool(error <= max(TOLERANCE[kind], 2 * noise))
        print(f"{os.path.basename(base):32} {target:38} {error:.1e}   PyTorch {noise:.1e}", flush=True)
    return passed


def main():
    convert, out, *only = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    passed = True
    for kind in TOLERANCE:
        torch.manual_seed(0)
        for name, module, side, index, names in networks(full=kind == torch.float32):
            if only and name not in only:
                continue
            randomize(module)
            module.eval()
            base = os.path.join(out, f"{name}.{str(kind).removeprefix('torch.')}")
            passed &= compare(convert, base, module, torch.randn(1, 3, side, side), index, names, kind)
    sys.exit(not passed)


if __name__ == "__main__":
    main()
