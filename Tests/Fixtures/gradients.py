#!/usr/bin/env python3
"""Writes small graphs with PyTorch's gradients, taken in binary64, as the reference.

    pip install torch onnx numpy
    python gradients.py         # writes gradients/NAME.onnx and gradients/NAME.npz

NAME.npz holds `input`, the `seed` of the output's gradient, and under `gradient:VALUE` the gradient by the input and by
weights, which keep PyTorch's names in the graph. NAME.input.npz holds the input alone.
"""
import os
import warnings

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gradients")


class Convolutional(nn.Module):
    """Strides, groups, dilation, pooling, skip connections, resizing and a transposed convolution."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 5, padding=2, groups=8)
        self.grouped = nn.Conv2d(8, 12, 3, groups=2, padding=2, dilation=2)
        self.squeeze = nn.Conv2d(12, 12, 1)
        self.up = nn.ConvTranspose2d(24, 6, 3, stride=2, padding=1, output_padding=1)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        y = F.max_pool2d(F.relu(self.norm(self.stem(x))), 3, 2, 1)
        y = y + F.hardswish(self.depthwise(y))
        y = F.leaky_relu(self.grouped(y), 0.1)
        y = y * torch.sigmoid(self.squeeze(F.adaptive_avg_pool2d(y, 1)))
        small = F.avg_pool2d(y, 3, 2, 1, count_include_pad=False)
        wide = F.interpolate(small, y.shape[-2:], mode="bilinear", align_corners=False)
        y = self.up(torch.cat([y, wide], 1))
        y = F.pad(y, (1, 2, 0, 1))[:, :, 1::2, :-1]
        y = F.interpolate(y, scale_factor=2.0, mode="nearest")
        return self.head(F.elu(y).mean((2, 3)))


class Transformer(nn.Module):
    """Attention with decomposed relative positions, normalisation and the exact GELU, as SAM's encoder has them."""

    def __init__(self, side=4, width=16, heads=2):
        super().__init__()
        self.side, self.heads = side, heads
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.position = nn.Parameter(torch.randn(1, side, side, width) * 0.02)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.relative = nn.Parameter(torch.randn(side, side, width // heads) * 0.1)
        self.mlp1, self.mlp2 = nn.Linear(width, 32), nn.Linear(32, width)

    def forward(self, x):
        side, heads = self.side, self.heads
        y = self.patches(x).permute(0, 2, 3, 1) + self.position
        batch, width = y.shape[0], y.shape[-1]
        q, k, v = self.qkv(self.norm1(y)).reshape(batch, side * side, 3, heads, -1).permute(2, 0, 3, 1, 4).reshape(
            3, batch * heads, side * side, -1).unbind(0)
        attention = q * width ** -0.5 @ k.transpose(-2, -1)
        rows = torch.einsum("bhwc,hkc->bhwk", q.reshape(batch * heads, side, side, -1), self.relative)
        attention = (attention.view(batch * heads, side, side, side, side) + rows[..., None]).view(attention.shape)
        z = (attention.softmax(-1) @ v).view(batch, heads, side, side, -1).permute(0, 2, 3, 1, 4).reshape(y.shape)
        y = y + self.project(z)
        y = y + self.mlp2(F.gelu(self.mlp1(self.norm2(y))))
        return y.permute(0, 3, 1, 2)


def write(name, module, example, weights):
    for part in module.modules():
        if isinstance(part, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(part.weight, 0.6, 1.2)
            nn.init.uniform_(part.bias, -0.2, 0.2)
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -0.2, 0.2)
            nn.init.uniform_(part.running_var, 0.6, 1.6)
    module.eval()
    path = f"{folder}/{name}.onnx"
    torch.onnx.export(module, (example,), path, input_names=["input"], output_names=["output"], dynamo=False,
                      opset_version=17, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    graph = onnx.load(path)
    for node in graph.graph.node:
        node.doc_string = ""
    onnx.save(graph, path)
    module.double()
    wide = example.double().requires_grad_()
    output = module(wide)
    seed = torch.randn_like(output)
    parameters = dict(module.named_parameters())
    gradients = torch.autograd.grad(output, [wide] + [parameters[w] for w in weights], seed)
    arrays = {"input": example.numpy(), "seed": seed.float().numpy()}
    for target, gradient in zip(["input"] + weights, gradients):
        arrays["gradient:" + target] = gradient.float().numpy()
    np.savez_compressed(f"{folder}/{name}.npz", **arrays)
    np.savez_compressed(f"{folder}/{name}.input.npz", input=arrays["input"])


if __name__ == "__main__":
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(0)
    write("convolutional", Convolutional(), torch.randn(2, 3, 26, 22), [
        "stem.weight", "norm.weight", "norm.bias", "depthwise.weight", "depthwise.bias", "grouped.weight",
        "squeeze.weight", "up.weight", "up.bias", "head.weight", "head.bias"])
    write("transformer", Transformer(), torch.randn(2, 3, 16, 16), [
        "patches.weight", "position", "norm1.weight", "norm1.bias", "qkv.bias", "relative", "project.bias",
        "mlp1.bias", "norm2.weight"])
