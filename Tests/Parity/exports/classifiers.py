"""Image classifiers of torchvision and timm."""
import functools

import torchvision

from example import Example, image

#: Side of the input, where it is not 224.
SIDES = {"inception_v3": 299, "efficientnet_v2_s": 300, "swin_v2_t": 256}
#: Arguments that leave out what exists for training alone.
ARGUMENTS = {"inception_v3": {"init_weights": False}, "googlenet": {"init_weights": False}}
NAMES = (
    "convnext_tiny swin_t swin_v2_t vit_b_16 efficientnet_b0 efficientnet_v2_s mobilenet_v3_large regnet_y_400mf "
    "densenet121 inception_v3 googlenet squeezenet1_1 shufflenet_v2_x1_0 mnasnet1_0 maxvit_t resnext50_32x4d "
    "wide_resnet50_2 resnet50").split()


def classifier(name):
    module = getattr(torchvision.models, name)(weights=None, **ARGUMENTS.get(name, {}))
    side = SIDES.get(name, 224)
    return Example(module, image(1, 3, side, side), ["logits"], opset=23 if name == "vit_b_16" else 18)


def tiny_vit():
    import timm
    return Example(timm.create_model("tiny_vit_5m_224", pretrained=False), image(1, 3, 224, 224), ["logits"])


MODELS = {name: functools.partial(classifier, name) for name in NAMES} | {"tiny_vit_5m_224": tiny_vit}
