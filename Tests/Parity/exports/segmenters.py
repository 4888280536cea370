"""Semantic segmentation: torchvision, segmentation-models-pytorch and transformers."""
import functools

import torchvision
from torch import nn

from example import Example, image


class Selected(nn.Module):
    """One value of a network that returns several under names."""

    def __init__(self, module, name):
        super().__init__()
        self.module, self.name = module, name

    def forward(self, input):
        return self.module(input)[self.name]


def torchvision_segmenter(name, side):
    module = getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None)
    axes = {"input": {0: "batch", 2: "height", 3: "width"}}
    return Example(Selected(module, "out"), image(1, 3, side, side), ["out"], axes, image(2, 3, side - 31, side + 17))


def published(architecture, encoder, side=256):
    """A network of segmentation-models-pytorch."""
    import segmentation_models_pytorch
    module = getattr(segmentation_models_pytorch, architecture)(encoder, encoder_weights=None, classes=21)
    return Example(module, image(1, 3, side, side), ["out"])


def segformer():
    """MiT-B0 with the decoder of 150 classes."""
    from transformers import SegformerConfig, SegformerForSemanticSegmentation
    config = SegformerConfig(num_labels=150)
    return Example(
        Selected(SegformerForSemanticSegmentation(config), "logits"), image(1, 3, 256, 256), ["logits"], opset=23)


MODELS = {
    "fcn_resnet50": functools.partial(torchvision_segmenter, "fcn_resnet50", 256),
    "lraspp_mobilenet_v3_large": functools.partial(torchvision_segmenter, "lraspp_mobilenet_v3_large", 256),
    "deeplabv3_resnet101": functools.partial(torchvision_segmenter, "deeplabv3_resnet101", 257),
    "smp_unet_resnet34": functools.partial(published, "Unet", "resnet34"),
    "smp_fpn_mobilenet_v2": functools.partial(published, "FPN", "mobilenet_v2"),
    "smp_deeplabv3plus_resnet34": functools.partial(published, "DeepLabV3Plus", "resnet34"),
    "segformer_b0": segformer,
}
