"""Detectors of torchvision, whose outputs have as many rows as objects were found."""
import torch
from torch import nn
from torchvision.models import detection

from example import Example


class Detector(nn.Module):
    """The detections of one image as a tuple."""

    def __init__(self, module, names):
        super().__init__()
        self.module, self.names = module, names

    def forward(self, input):
        found = self.module([input])[0]
        return tuple(found[name] for name in self.names)


def mask_rcnn():
    module = detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, min_size=256, max_size=256, rpn_post_nms_top_n_test=40,
        box_score_thresh=.02, box_detections_per_img=20)
    names = ["boxes", "labels", "scores", "masks"]
    return Example(Detector(module, names), {"input": torch.rand(3, 256, 256)}, names)


def ssdlite():
    module = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, detections_per_img=40)
    # The original's small weights leave hardly anything of the image: equal scores everywhere, in no order.
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
    names = ["boxes", "labels", "scores"]
    return Example(Detector(module, names), {"input": torch.rand(3, 320, 320)}, names)


MODELS = {"maskrcnn_resnet50_fpn": mask_rcnn, "ssdlite320_mobilenet_v3_large": ssdlite}
