"""Beginning from an exported file: weights with normalisation merged in are taken apart again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.wcbnet.model import WCBnet


def load_exported(model: WCBnet, path: Path, batch: Tensor) -> None:
    """Gives a network the function of an exported one of the same shape.

    Operators with weights correspond in the order in which they are computed. An exporter merges BatchNorm into the
    convolution before it; each gets back statistics, those of `batch`, without changing what is computed, so that
    training can go on.

    Args:
        batch: error levels `[N, 3, H, W]` like those that will be trained on.

    Raises:
        ValueError: the file is of another network.
    """
    graph = onnx.load(path).graph
    weights = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    found = [[weights[name] for name in node.input if name in weights] for node in graph.node]
    found = iter([tensors for tensors in found if tensors])
    order = _order(model, batch)
    model.eval()
    for module in order:
        match module:
            case nn.BatchNorm2d():
                _take(path, next(found), module.weight, module.bias, module.running_mean, module.running_var)
                scale = module.weight.detach() / (module.running_var + module.eps).sqrt()
                shift = module.bias.detach() - scale * module.running_mean
                module.register_forward_pre_hook(_statistics(scale, shift))
            case nn.Sequential():
                tensors = next(found)
                _take(path, tensors[:1], module[0].weight)
                shift = torch.from_numpy(tensors[1].copy())
                module[1].register_forward_pre_hook(_statistics(torch.ones_like(shift), shift))
            case nn.Linear():
                tensors = next(found)
                if len(tensors) == 1:
                    tensors = [tensors[0].T, next(found)[0]]
                _take(path, tensors, module.weight, module.bias)
    with torch.no_grad():
        model(batch)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module._forward_pre_hooks.clear()


def _order(model: WCBnet, batch: Tensor) -> list[nn.Module]:
    """Modules with weights in the order of their first call: a convolution with its BatchNorm, alone, or a dense layer."""
    merged = [m for m in model.modules() if isinstance(m, nn.Sequential) and len(m) > 1
              and isinstance(m[0], nn.Conv2d) and isinstance(m[1], nn.BatchNorm2d)]
    inside = {id(m[1]) for m in merged}
    alone = [m for m in model.modules() if isinstance(m, nn.Linear)
             or (isinstance(m, nn.BatchNorm2d) and id(m) not in inside)]
    order: list[nn.Module] = []
    hooks = [m.register_forward_pre_hook(lambda module, _: order.append(module)) for m in merged + alone]
    with torch.no_grad():
        model.eval()(batch[:1])
    for hook in hooks:
        hook.remove()
    return order


def _statistics(scale: Tensor, shift: Tensor) -> Callable[[nn.BatchNorm2d, tuple[Tensor]], None]:
    """Sets a normalisation to what comes in, such that `scale * x + shift` goes out."""
    def hook(module: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
        mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3), unbiased=False)
        with torch.no_grad():
            module.running_mean.copy_(mean)
            module.running_var.copy_(variance)
            module.weight.copy_(scale * (variance + module.eps).sqrt())
            module.bias.copy_(shift + scale * mean)
    return hook


def _take(path: Path, tensors: list[np.ndarray], *targets: Tensor) -> None:
    for tensor, target in zip(tensors, targets, strict=False):
        if tensor.shape != tuple(target.shape):
            raise ValueError(f"{path}: a weight is {tensor.shape}, not {tuple(target.shape)}")
        with torch.no_grad():
            target.copy_(torch.from_numpy(tensor.copy()))
