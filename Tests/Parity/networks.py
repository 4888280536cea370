"""Networks of the supported families with seeded random weights, for comparisons with PyTorch."""
import torch
import torch.nn.functional as F
import torchvision
from torch import nn


class Segmentation(nn.Module):
    """The main output of a torchvision segmentation network."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)["out"]


class PSPNet(nn.Module):
    """ResNet-50 at output stride 8 with a pyramid of 1, 2, 3 and 6 bins."""

    def __init__(self, classes=150):
        super().__init__()
        net = torchvision.models.resnet50(weights=None, replace_stride_with_dilation=[False, True, True])
        self.body = nn.Sequential(
            net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3, net.layer4)
        self.pyramid = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(bins), nn.Conv2d(2048, 512, 1, bias=False), nn.BatchNorm2d(512),
                          nn.ReLU())
            for bins in (1, 2, 3, 6))
        self.head = nn.Sequential(
            nn.Conv2d(4096, 512, 3, padding=1, bias=False), nn.BatchNorm2d(512), nn.ReLU(), nn.Dropout2d(.1),
            nn.Conv2d(512, classes, 1))

    def forward(self, x):
        y = self.body(x)
        levels = [F.interpolate(level(y), y.shape[-2:], mode="bilinear", align_corners=True) for level in self.pyramid]
        return F.interpolate(self.head(torch.cat([y] + levels, 1)), x.shape[-2:], mode="bilinear", align_corners=True)


def sam_encoder(size, depth):
    """SAM's image encoder at ViT-B's width, for a smaller image and with fewer blocks."""
    from segment_anything.modeling import ImageEncoderViT
    encoder = ImageEncoderViT(
        img_size=size, patch_size=16, embed_dim=768, depth=depth, num_heads=12, out_chans=256, qkv_bias=True,
        use_rel_pos=True, window_size=14, global_attn_indexes=(depth - 1,))
    # Relative positions are zero at initialisation: a missing term would go unseen.
    for name, parameter in encoder.named_parameters():
        if "rel_pos" in name or "pos_embed" in name:
            nn.init.normal_(parameter, std=.02)
    return encoder


def randomize(module):
    """Statistics and scales as after training: trivial ones would hide a wrong fold, and equal ones are stored once."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -.2, .2)
            nn.init.uniform_(part.running_var, .6, 1.6)
        if "Norm" in type(part).__name__ and getattr(part, "weight", None) is not None:
            nn.init.uniform_(part.weight, .6, 1.2)
            nn.init.uniform_(part.bias, -.2, .2)
