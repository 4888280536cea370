#!/usr/bin/env python3
"""Writes the graphs and state dictionaries that the weight swap tests use, into `weights/` beside this script.

    python3 weights.py          (needs torch, torchvision, onnx and onnxscript)

Every network comes twice, with two sets of random weights: `first` is exported and gets the weights of `second`, whose
own export by the same exporter says what must come out. `Net.graph.onnx` keeps BatchNorm, `Net.legacy.onnx` and
`Net.dynamo.onnx` come with BatchNorm merged by PyTorch's two exporters.
"""
import os, warnings
import numpy as np
import onnx
import torch
import torch.nn as nn

warnings.filterwarnings("ignore")
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights")
os.makedirs(out, exist_ok=True)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class Residual(nn.Module):
    """Named and built like torchvision's ResNet; equal channels everywhere but in one place."""
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(Block(8, 8, 1), Block(8, 8, 1))
        self.layer2 = nn.Sequential(Block(8, 12, 2))
        self.head = nn.Sequential(nn.Conv2d(12, 8, 1, groups=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 1))
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = self.layer2(self.layer1(self.bn1(self.conv1(x)).relu()))
        return self.fc(self.head(x).mean((2, 3)))


class Mobile(nn.Module):
    """Another activation and another epsilon, as MobileNetV3 has."""
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.Hardswish(),
            nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.Hardswish())

    def forward(self, x): return self.features(x).mean((2, 3))


class Transposed(nn.Module):
    """Layers whose weights have their output channels elsewhere than first."""
    def __init__(self):
        super().__init__()
        self.up = nn.Sequential(nn.ConvTranspose2d(4, 6, 2, 2, groups=2), nn.BatchNorm2d(6), nn.ReLU())
        self.linear, self.norm = nn.Linear(6, 5, bias=False), nn.BatchNorm1d(5)

    def forward(self, x): return self.norm(self.linear(self.up(x).mean((2, 3))))


class PreActivation(nn.Module):
    """BatchNorm before the Conv: an exporter merges `conv1` with `bn2`, which the names alone would not tell."""
    def __init__(self):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, 1, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, 1, 1, bias=False)

    def forward(self, x): return x + self.conv2(self.bn2(self.conv1(self.bn1(x).relu())).relu())


class Stem(nn.Module):
    """Merges as `PreActivation` does, and no BatchNorm is left in the graph to show it."""
    def __init__(self):
        super().__init__()
        self.stem, self.bn1 = nn.Conv2d(4, 4, 1, bias=False), nn.BatchNorm2d(4)
        self.conv1, self.bn2 = nn.Conv2d(4, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4)

    def forward(self, x): return self.bn2(self.conv1(self.bn1(self.stem(x)).relu())).relu()


class Shared(nn.Module):
    """Equal parameters, which exporters store once, and one Conv used twice with two BatchNorms."""
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        self.n1, self.n2 = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.ln1, self.ln2 = nn.LayerNorm(4), nn.LayerNorm(4)
        self.scale = nn.Parameter(torch.ones(1, 4))

    def forward(self, x):
        x = self.n2(self.conv(self.n1(self.conv(x)).relu())).mean((2, 3))
        return self.ln2(self.ln1(x) * self.scale)


class Plain(nn.Module):
    """A bias that is zero in `first`, so that the newer exporter removes it."""
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x): return self.conv(x).relu()


def randomise(net, seed):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda tensor, low, high: tensor.data.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    for module in net.modules():
        for name, parameter in module.named_parameters(recurse=False): draw(parameter, -.5, .5)
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            draw(module.weight, .5, 1.5); draw(module.running_mean, -.5, .5); draw(module.running_var, .01, 2.)
    return net.eval()


def export(net, shape, name, styles):
    for style in styles:
        path = os.path.join(out, f"{name}.{style}.onnx")
        options = dict(input_names=["input"], output_names=["output"])
        if style == "dynamo":
            torch.onnx.export(net, torch.ones(shape), path, dynamo=True, opset_version=20, external_data=False, verbose=False, **options)
            model = onnx.load(path)
            for node in model.graph.node:           # paths of this machine
                kept = [entry for entry in node.metadata_props if "stack_trace" not in entry.key]
                del node.metadata_props[:]
                node.metadata_props.extend(kept)
            onnx.save(model, path)
        else:
            keep = dict(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False) if style == "graph" else {}
            torch.onnx.export(net, torch.ones(shape), path, dynamo=False, opset_version=17, **keep, **options)


styles = ["graph", "legacy", "dynamo"]
image = (1, 3, 16, 16)
for kind, shape in [(Residual, image), (Mobile, image), (Transposed, (1, 4, 4, 4)), (PreActivation, (1, 4, 4, 4)), (Stem, (1, 4, 4, 4))]:
    for seed, name in [(1, "first"), (2, "second")]:
        net = randomise(kind(), seed)
        export(net, shape, f"{kind.__name__}.{name}", styles)
        if name == "second": torch.save(net.state_dict(), os.path.join(out, f"{kind.__name__}.second.pth"))

torch.manual_seed(0)
export(Shared().eval(), (1, 4, 3, 3), "Shared.first", styles)          # as initialised: many equal parameters
second = randomise(Shared(), 2)
export(second, (1, 4, 3, 3), "Shared.second", styles)
torch.save(second.state_dict(), os.path.join(out, "Shared.second.pth"))

first, second = randomise(Plain(), 1), randomise(Plain(), 2)
nn.init.zeros_(first.conv.bias)
export(first, (1, 3, 5, 5), "Plain.first", ["dynamo"])
export(second, (1, 3, 5, 5), "Plain.second", ["dynamo"])
torch.save(second.state_dict(), os.path.join(out, "Plain.second.pth"))

# What PyTorch computes, in binary64, for runs of the command.
generator = torch.Generator().manual_seed(3)
for kind, shape in [(PreActivation, (1, 4, 4, 4)), (Residual, image), (Mobile, image)]:
    x = torch.rand(shape, generator=generator)
    name = os.path.join(out, kind.__name__)
    np.savez(name + ".input.npz", input=x.numpy())
    with torch.no_grad():
        np.savez(name + ".outputs.npz", **{
            f"seed{seed}": randomise(kind(), seed).double()(x.double()).numpy() for seed in (1, 2)})
torch.onnx.export(
    randomise(PreActivation(), 1), torch.ones(1, 4, 4, 4), os.path.join(out, "Dynamic.onnx"), dynamo=False, opset_version=17,
    input_names=["input"], output_names=["output"], training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
    dynamic_axes={"input": {0: "N", 2: "H", 3: "W"}, "output": {0: "N", 2: "H", 3: "W"}})

for name in sorted(os.listdir(out)):
    assert os.path.getsize(os.path.join(out, name)) < 300_000, name
