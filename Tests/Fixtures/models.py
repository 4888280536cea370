#!/usr/bin/env python3
"""Writes small graphs of every supported family, seeded random weights, with ONNX Runtime's outputs as the reference.

    pip install torch torchvision segment-anything onnx onnxscript onnxruntime numpy
    python models.py            # writes models/NAME.onnx and models/NAME.npz, each under 300 KB

NAME.npz holds the inputs under their own names and the expected outputs under `output:NAME`. Families come from both of
PyTorch's exporters: NAME_legacy (TorchScript) and NAME_dynamo.
"""
import os
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

warnings.filterwarnings("ignore")
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
os.makedirs(folder, exist_ok=True)
LIMIT = 300_000


def randomize(model):
    """Statistics as after training: trivial ones would hide a wrong fold."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.6, 1.6)
            nn.init.uniform_(module.weight, 0.6, 1.2)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    for name, parameter in model.named_parameters():
        if "rel_pos" in name or "pos_embed" in name or "relative_position" in name:
            nn.init.normal_(parameter, std=0.02)
    return model.eval()


def write(name, model, inputs, input_names, output_names, styles=("legacy", "dynamo"), dynamic=None, opset=17):
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    randomize(model)
    for style in styles:
        path = f"{folder}/{name}_{style}.onnx"
        if style == "dynamo":
            torch.onnx.export(model, inputs, path, input_names=input_names, output_names=output_names, dynamo=True,
                              opset_version=20, external_data=False, verbose=False)
        else:
            keep = {}
            if style == "batchnorm":
                keep = dict(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
            torch.onnx.export(model, inputs, path, input_names=input_names, output_names=output_names, dynamo=False,
                              opset_version=opset, dynamic_axes=dynamic, **keep)
        graph = onnx.load(path)
        for node in graph.graph.node:      # the exporter's stack traces are most of a small file
            del node.metadata_props[:]
            node.doc_string = ""
        del graph.graph.value_info[:]
        onnx.save(graph, path)
        reference(path, dict(zip(input_names, [x.numpy() for x in inputs])))


def reference(path, feed):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feed = {i.name: feed[i.name] for i in session.get_inputs()}
    outputs = session.run(None, feed)
    named = {f"output:{o.name}": value for o, value in zip(session.get_outputs(), outputs)}
    np.savez_compressed(path.replace(".onnx", ".npz"), **feed, **named)
    for file in (path, path.replace(".onnx", ".npz")):
        size = os.path.getsize(file)
        print(f"{os.path.basename(file)} {size / 1000:.0f} KB", flush=True)
        assert size < LIMIT, file


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, outputs, stride=1, dilation=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def residual_body(dilated):
    return nn.Sequential(
        nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        Bottleneck(8, 4, 16), Bottleneck(16, 4, 16), Bottleneck(16, 8, 32, 2),
        Bottleneck(32, 8, 32, 1, 2 if dilated else 1), Bottleneck(32, 8, 48, 1 if dilated else 2, 4 if dilated else 1))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = residual_body(False)
        self.fc = nn.Linear(48, 5)

    def forward(self, x):
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.body(x), 1), 1))


class DeepLab(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = residual_body(True)
        def branch(size, rate):
            return nn.Sequential(nn.Conv2d(48, 8, size, padding=rate if size > 1 else 0, dilation=rate, bias=False),
                                 nn.BatchNorm2d(8), nn.ReLU())
        self.branches = nn.ModuleList([branch(1, 1), branch(3, 3), branch(3, 6), branch(3, 9)])
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(48, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.project = nn.Sequential(nn.Conv2d(40, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(.5),
                                     nn.Conv2d(8, 6, 1))

    def forward(self, x):
        y = self.body(x)
        parts = [branch(y) for branch in self.branches]
        parts.append(F.interpolate(self.pool(y), size=y.shape[-2:], mode="bilinear", align_corners=False))
        return F.interpolate(self.project(torch.cat(parts, 1)), size=x.shape[-2:], mode="bilinear", align_corners=False)


class PSPNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = residual_body(True)
        self.pyramid = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(bins), nn.Conv2d(48, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
            for bins in (1, 2, 3, 6))
        self.head = nn.Sequential(nn.Conv2d(80, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
                                  nn.Dropout2d(.1), nn.Conv2d(8, 6, 1))

    def forward(self, x):
        y = self.body(x)
        up = [F.interpolate(p(y), y.shape[-2:], mode="bilinear", align_corners=True) for p in self.pyramid]
        return F.interpolate(self.head(torch.cat([y] + up, 1)), x.shape[-2:], mode="bilinear", align_corners=True)


def segment_anything():
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
    from segment_anything.utils.onnx import SamOnnxModel
    encoder = ImageEncoderViT(img_size=64, patch_size=8, embed_dim=24, depth=2, num_heads=2, out_chans=16,
                              window_size=3, global_attn_indexes=(1,), use_rel_pos=True, qkv_bias=True)
    sam = Sam(image_encoder=encoder,
              prompt_encoder=PromptEncoder(embed_dim=16, image_embedding_size=(8, 8), input_image_size=(64, 64),
                                           mask_in_chans=8),
              mask_decoder=MaskDecoder(num_multimask_outputs=3, transformer_dim=16, iou_head_depth=2,
                                       iou_head_hidden_dim=16,
                                       transformer=TwoWayTransformer(depth=2, embedding_dim=16, mlp_dim=32, num_heads=2)))
    randomize(sam)
    write("sam_encoder", sam.image_encoder, torch.randn(1, 3, 64, 64), ["image"], ["image_embeddings"])
    prompts = dict(image_embeddings=torch.randn(1, 16, 8, 8), point_coords=torch.randint(0, 64, (1, 5, 2)).float(),
                   point_labels=torch.randint(0, 4, (1, 5)).float(), mask_input=torch.randn(1, 1, 32, 32),
                   has_mask_input=torch.tensor([1.]), orig_im_size=torch.tensor([48., 60.]))
    write("sam_decoder", SamOnnxModel(sam, return_single_mask=False), tuple(prompts.values()), list(prompts),
          ["masks", "iou_predictions", "low_res_masks"], styles=("legacy",),
          dynamic={"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}})


def classifiers():
    from torchvision.models import convnext, densenet, efficientnet, mobilenetv3, swin_transformer, vision_transformer
    x = torch.randn(1, 3, 64, 64)
    write("mobilenet_v2", torchvision.models.MobileNetV2(
        num_classes=5, width_mult=0.1, inverted_residual_setting=[[1, 8, 1, 1], [4, 16, 2, 2]], round_nearest=4), x,
        ["input"], ["logits"])
    conf = lambda *a: mobilenetv3.InvertedResidualConfig(*a, 1, 1.0)
    write("mobilenet_v3", mobilenetv3.MobileNetV3(
        [conf(8, 3, 16, 8, True, "RE", 2), conf(8, 5, 24, 16, True, "HS", 2), conf(16, 5, 32, 16, False, "HS", 1)], 32,
        num_classes=5), x, ["input"], ["logits"])
    mb = efficientnet.MBConvConfig
    write("efficientnet", efficientnet.EfficientNet(
        [mb(1, 3, 1, 8, 8, 1), mb(4, 3, 2, 8, 12, 2), mb(4, 5, 2, 12, 16, 1)], dropout=0.2, num_classes=5,
        last_channel=32), x, ["input"], ["logits"])
    write("densenet", densenet.DenseNet(4, (2, 2), 8, 2, num_classes=5), x, ["input"], ["logits"])
    cn = convnext.CNBlockConfig
    write("convnext", convnext.ConvNeXt([cn(8, 12, 1), cn(12, None, 1)], num_classes=5), x, ["input"], ["logits"])
    write("swin", swin_transformer.SwinTransformer([4, 4], 8, [2], [2], [3, 3], num_classes=5), x, ["input"],
          ["logits"])
    write("swin_v2", swin_transformer.SwinTransformer(
        [4, 4], 8, [2], [2], [3, 3], num_classes=5, block=swin_transformer.SwinTransformerBlockV2,
        downsample_layer=swin_transformer.PatchMergingV2), x, ["input"], ["logits"])
    write("vit", vision_transformer.VisionTransformer(64, 16, 2, 2, 16, 32, num_classes=5), x, ["input"], ["logits"])
    write("shufflenet", torchvision.models.ShuffleNetV2([1, 1, 1], [8, 16, 24, 32, 48], num_classes=5), x, ["input"],
          ["logits"])
    write("regnet", torchvision.models.RegNet(
        torchvision.models.regnet.BlockParams([1, 1], [8, 16], [4, 8], [1, 1], [2, 2], 0.25), num_classes=5), x,
        ["input"], ["logits"])
    # Grouped convolution, pooling with a partial window and dense layers, as older networks have them.
    write("alexnet", nn.Sequential(
        nn.Conv2d(3, 8, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(8, 16, 5, padding=2, groups=2), nn.ELU(), nn.AvgPool2d(3, 2, 1), nn.Flatten(), nn.Dropout(),
        nn.Linear(256, 16), nn.LeakyReLU(0.1), nn.Linear(16, 5), nn.LogSoftmax(1)), x, ["input"], ["logits"])


torch.manual_seed(0)
which = sys.argv[1:] or ["resnet", "deeplab", "pspnet", "sam", "classifiers"]
if "resnet" in which:
    write("resnet", ResNet(), torch.randn(1, 3, 64, 64), ["input"], ["logits"],
          styles=("legacy", "dynamo", "batchnorm"), dynamic={"input": {0: "N", 2: "H", 3: "W"}})
if "deeplab" in which:
    write("deeplab", DeepLab(), torch.randn(1, 3, 65, 49), ["input"], ["out"])
if "pspnet" in which:
    write("pspnet", PSPNet(), torch.randn(1, 3, 96, 96), ["input"], ["out"])
if "sam" in which:
    segment_anything()
if "classifiers" in which:
    classifiers()
