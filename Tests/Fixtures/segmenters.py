#!/usr/bin/env python3
"""Writes small graphs of every segmenter's contract, with reference results of an image.

    pip install torch torchvision segment-anything transformers opencv-python-headless onnx onnxruntime numpy pillow
    python segmenters.py            # writes segmenters/

`photo.png` is the image. Semantic graphs come with NAME.npz: `labels`, the label of every pixel, by Pillow's resizing, ONNX
Runtime and NumPy. SAM's pairs come with references by the published package and by Hugging Face's, of the same weights:
prompts, and for each its predicted qualities and logits at the image's size. `blobs.json` holds what the published automatic
mask generator makes of the network in blob_network.py.
"""
import json
import os
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import TensorProto as T, helper, numpy_helper
from PIL import Image

import blob_network

warnings.filterwarnings("ignore")
torch.manual_seed(3)
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "segmenters")
os.makedirs(folder, exist_ok=True)
LIMIT = 300_000


def path(name):
    return os.path.join(folder, name)


def saved(name):
    size = os.path.getsize(path(name))
    print(f"{name} {size / 1000:.1f} KB", flush=True)
    assert size < LIMIT, name


def save_model(graph, name, metadata):
    # Names made of module paths are half of a small file.
    kept = {value.name for value in list(graph.graph.input) + list(graph.graph.output)}
    short = {}
    def renamed(name):
        return name if name in kept or not name else short.setdefault(name, f"v{len(short)}")
    for constant in graph.graph.initializer:
        constant.name = renamed(constant.name)
    for node in graph.graph.node:
        assert not any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.attribute)
        node.input[:] = [renamed(n) for n in node.input]
        node.output[:] = [renamed(n) for n in node.output]
        del node.metadata_props[:]
        node.doc_string = node.name = ""
    del graph.graph.value_info[:]
    helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    onnx.save(graph, path(name))
    saved(name)


def photo():
    """Overlapping discs of several colours over a gradient, with a little noise."""
    random = np.random.default_rng(5)
    width, height = 150, 100
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    image = np.stack([60 + .5 * x, 90 + .6 * y, 130 - .4 * x], -1)
    for _ in range(14):
        cx, cy, r = random.uniform(0, width), random.uniform(0, height), random.uniform(8, 28)
        image[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = random.uniform(0, 255, 3)
    image = (image + random.normal(0, 3, image.shape)).clip(0, 255).round().astype(np.uint8)
    Image.fromarray(image).save(path("photo.png"))
    saved("photo.png")
    return image


# --- DeepLab and PSPNet

CLASSES = 5
COLORS = np.array([[110, 120, 100], [220, 60, 60], [60, 200, 90], [50, 70, 220], [230, 220, 60]], np.float32)


def scorer(scale, offset, color="RGB"):
    """1 x 1 weights whose highest score is the nearest of COLORS, for an input of bytes * scale + offset."""
    colors = COLORS if color == "RGB" else COLORS[:, ::-1]
    scale, offset = np.broadcast_to(scale, 3), np.broadcast_to(offset, 3)
    # -|b - c|² = 2 b·c - |c|² + what is common to all classes, with b = (v - offset) / scale, in units of 1000.
    weight = 2 * colors / scale / 1000
    bias = -(colors ** 2).sum(1) / 1000 - (weight * offset).sum(1)
    return weight.astype(np.float32), bias.astype(np.float32)


def graph(name, nodes, inputs, outputs, constants, metadata):
    metadata = {"output.classes": "background,bird,leaf,sky,sun"} | metadata
    made = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info(*i) for i in inputs],
        [helper.make_tensor_value_info(*o) for o in outputs],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    save_model(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), name + ".onnx", metadata)


def resized(image, width, height):
    return np.asarray(Image.fromarray(image).resize((width, height), Image.BILINEAR))


def positions(count, content, output, inputs):
    """Where the pixels of an image lie among the samples of an output, by half-pixel centres; padding is left out."""
    used = min(output, max(1, -(-output * content // inputs)))
    return np.clip((np.arange(count) + .5) * output * content / (inputs * count) - .5, 0, used - 1)


def labels_of(scores, image, content, inputs):
    """[C, h, w] scores at the image's size by bilinear interpolation, then the best class."""
    height, width = image.shape[:2]
    y = positions(height, content[0], scores.shape[1], inputs[0])
    x = positions(width, content[1], scores.shape[2], inputs[1])
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    y1, x1 = np.minimum(y0 + 1, scores.shape[1] - 1), np.minimum(x0 + 1, scores.shape[2] - 1)
    fy, fx = (y - y0)[:, None], (x - x0)[None, :]
    scores = scores.astype(np.float64)
    top = scores[:, y0][:, :, x0] * (1 - fx) + scores[:, y0][:, :, x1] * fx
    bottom = scores[:, y1][:, :, x0] * (1 - fx) + scores[:, y1][:, :, x1] * fx
    return (top * (1 - fy) + bottom * fy).argmax(0)


def nearest(labels, image, content, inputs):
    """A label map at the image's size: the label under each pixel's centre."""
    rows = ((np.arange(image.shape[0]) + .5) * labels.shape[0] * content[0] / (inputs[0] * image.shape[0])).astype(int)
    columns = ((np.arange(image.shape[1]) + .5) * labels.shape[1] * content[1] / (inputs[1] * image.shape[1])).astype(int)
    return labels[rows][:, columns]


def run(name, feed, outputs):
    session = onnxruntime.InferenceSession(path(name + ".onnx"), providers=["CPUExecutionProvider"])
    return session.run(outputs, {session.get_inputs()[0].name: feed})


def save_labels(name, labels):
    print(name, {int(k): int(v) for k, v in zip(*np.unique(labels, return_counts=True))})
    np.savez_compressed(path(name + ".npz"), labels=labels.astype(np.int32))
    saved(name + ".npz")


def semantic(image):
    height, width = image.shape[:2]

    # torchvision: normalised NCHW, `out` at the input's size and `aux`; stretched.
    mean, std = np.array([.485, .456, .406]), np.array([.229, .224, .225])
    weight, bias = scorer(1 / 255 / std, -mean / std)
    graph("torchvision", [
        helper.make_node("AveragePool", ["input"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["pooled", "w", "b"], ["scores"]),
        helper.make_node("Conv", ["pooled", "w", "zero"], ["coarse"]),
        helper.make_node("Resize", ["scores", "", "", "size"], ["out"], mode="linear"),
        helper.make_node("Resize", ["coarse", "", "", "size"], ["aux"], mode="linear"),
    ], [("input", T.FLOAT, [1, 3, 96, 128])], [("aux", T.FLOAT, [1, CLASSES, 96, 128]), ("out", T.FLOAT, [1, CLASSES, 96, 128])],
        dict(w=weight[:, :, None, None], b=bias, zero=0 * bias, size=np.array([1, CLASSES, 96, 128])), {
        "tamperscope.role": "deeplab", "input.layout": "NCHW", "input.color": "RGB", "input.range": "0-1",
        "input.mean": ".485,.456,.406", "input.std": ".229,.224,.225", "input.size": "96,128", "input.resize": "stretch",
        "output.kind": "logits"})
    x = ((resized(image, 128, 96) / 255 - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)
    save_labels("torchvision", labels_of(run("torchvision", x, ["out"])[0][0], image, (96, 128), (96, 128)))

    # TensorFlow's frozen graph: bytes NHWC of any size, labels of 64 bits; the longest side resized, padded.
    weight, bias = scorer(1, 0)
    graph("frozen", [
        helper.make_node("Cast", ["ImageTensor:0"], ["bytes"], to=T.FLOAT),
        helper.make_node("MatMul", ["bytes", "w"], ["products"]),
        helper.make_node("Add", ["products", "b"], ["scores"]),
        helper.make_node("ArgMax", ["scores"], ["SemanticPredictions:0"], axis=3, keepdims=0),
    ], [("ImageTensor:0", T.UINT8, [1, None, None, 3])], [("SemanticPredictions:0", T.INT64, [1, None, None])],
        dict(w=weight.T.copy(), b=bias), {
        "tamperscope.role": "deeplab", "input.layout": "NHWC", "input.color": "RGB", "input.range": "0-255",
        "input.size": "97,97", "input.resize": "longest-pad", "output.kind": "labels"})
    content = (int(height * 97 / width + .5), 97)
    x = np.zeros((1, 97, 97, 3), np.uint8)
    x[0, :content[0]] = resized(image, content[1], content[0])
    save_labels("frozen", nearest(run("frozen", x, None)[0][0], image, content, (97, 97)))

    # Slim and COCO: RGB / 127.5 - 1 NHWC, coarse logits NHWC; any size, padded to a multiple of 16.
    weight, bias = scorer(1 / 127.5, -1)
    graph("slim", [
        helper.make_node("Transpose", ["sub_7:0"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["pooled", "w", "b"], ["scores"]),
        helper.make_node("Transpose", ["scores"], ["ResizeBilinear_2:0"], perm=[0, 2, 3, 1]),
    ], [("sub_7:0", T.FLOAT, [1, None, None, 3])], [("ResizeBilinear_2:0", T.FLOAT, [1, None, None, CLASSES])],
        dict(w=weight[:, :, None, None], b=bias), {
        "tamperscope.role": "deeplab", "input.layout": "NHWC", "input.color": "RGB", "input.range": "-1-1",
        "input.mean": "0,0,0", "input.std": "1,1,1", "input.size": "dynamic/16", "input.resize": "longest-pad",
        "output.kind": "logits"})
    inputs = (-(-height // 16) * 16, -(-width // 16) * 16)
    x = np.zeros((1, *inputs, 3), np.float32)
    x[0, :height, :width] = image / np.float32(127.5) - 1
    scores = run("slim", x, None)[0][0].transpose(2, 0, 1)
    save_labels("slim", labels_of(scores, image, (height, width), inputs))

    # DeepLab2: bytes [H, W, 3], a dozen outputs; here three. Things (classes 1 and 2) get an instance for each half.
    weight, bias = scorer(1, 0)
    half = np.where(np.arange(128) < 64, 1, 2).astype(np.int32)
    graph("panoptic", [
        helper.make_node("Cast", ["input_tensor"], ["bytes"], to=T.FLOAT),
        helper.make_node("MatMul", ["bytes", "w"], ["products"]),
        helper.make_node("Add", ["products", "b"], ["scores"]),
        helper.make_node("ArgMax", ["scores"], ["classes"], axis=2, keepdims=0),
        helper.make_node("Cast", ["classes"], ["semantic_pred"], to=T.INT32),
        helper.make_node("Equal", ["semantic_pred", "one"], ["birds"]),
        helper.make_node("Equal", ["semantic_pred", "two"], ["leaves"]),
        helper.make_node("Or", ["birds", "leaves"], ["things"]),
        helper.make_node("Where", ["things", "half", "nil"], ["instance_pred"]),
        helper.make_node("Mul", ["semantic_pred", "divisor"], ["multiples"]),
        helper.make_node("Add", ["multiples", "instance_pred"], ["ids"]),
        helper.make_node("Unsqueeze", ["ids", "axis"], ["panoptic_pred"]),
    ], [("input_tensor", T.UINT8, [96, 128, 3])],
        [("instance_pred", T.INT32, [96, 128]), ("semantic_pred", T.INT32, [96, 128]), ("panoptic_pred", T.INT32, [1, 96, 128])],
        dict(w=weight.T.copy(), b=bias, half=half, nil=np.int32(0), one=np.int32(1), two=np.int32(2), divisor=np.int32(256),
             axis=np.array([0])), {
        "tamperscope.role": "deeplab", "input.layout": "NHWC", "input.color": "RGB", "input.range": "0-255",
        "input.size": "96,128", "input.resize": "stretch", "output.kind": "panoptic", "output.labelDivisor": "256"})
    ids = run("panoptic", resized(image, 128, 96), ["panoptic_pred"])[0][0]
    save_labels("panoptic", nearest(ids, image, (96, 128), (96, 128)))

    # semseg: the shorter side resized, any size, logits at an eighth.
    mean, std = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    weight, bias = scorer(1 / std, -mean / std)
    graph("semseg", [
        helper.make_node("AveragePool", ["input"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8], ceil_mode=0),
        helper.make_node("Conv", ["pooled", "w", "b"], ["output"]),
    ], [("input", T.FLOAT, [None, 3, None, None])], [("output", T.FLOAT, [None, CLASSES, None, None])],
        dict(w=weight[:, :, None, None], b=bias), {
        "tamperscope.role": "pspnet", "input.layout": "NCHW", "input.color": "RGB", "input.range": "0-255",
        "input.mean": "123.675,116.28,103.53", "input.std": "58.395,57.12,57.375", "input.size": "64,64",
        "input.resize": "shortest", "output.kind": "logits"})
    inputs = (64, width * 64 // height)
    x = ((resized(image, inputs[1], 64) - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)
    save_labels("semseg", labels_of(run("semseg", x, None)[0][0], image, inputs, inputs))

    # Keras: BGR, means subtracted, softmax flattened [N, H * W, C]; stretched.
    mean = np.array([103.939, 116.779, 123.68])
    weight, bias = scorer(1, -mean, "BGR")
    graph("keras", [
        helper.make_node("MatMul", ["input_1", "w"], ["products"]),
        helper.make_node("Add", ["products", "b"], ["scores"]),
        helper.make_node("Reshape", ["scores", "shape"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["activation_58"], axis=2),
    ], [("input_1", T.FLOAT, [None, 57, 57, 3])], [("activation_58", T.FLOAT, [None, 57 * 57, CLASSES])],
        dict(w=weight.T.copy(), b=bias, shape=np.array([0, 57 * 57, CLASSES])), {
        "tamperscope.role": "pspnet", "input.layout": "NHWC", "input.color": "BGR", "input.range": "0-255",
        "input.mean": "103.939,116.779,123.68", "input.std": "1,1,1", "input.size": "57,57", "input.resize": "stretch",
        "output.kind": "probabilities"})
    x = (resized(image, 57, 57)[..., ::-1] - mean)[None].astype(np.float32)
    scores = run("keras", x, None)[0][0].reshape(57, 57, CLASSES).transpose(2, 0, 1)
    save_labels("keras", labels_of(scores, image, (57, 57), (57, 57)))


# --- SAM

PROMPTS = [
    dict(points=[[40, 30]], labels=[1]),
    dict(points=[[40, 30], [100, 60], [20, 90]], labels=[1, 1, 0]),
    dict(box=[30, 20, 110, 80]),
    dict(points=[[60, 50]], labels=[0], box=[30, 20, 110, 80]),
]


def arrays(prompt):
    return (np.array(prompt["points"], np.float32) if "points" in prompt else None,
            np.array(prompt["labels"]) if "labels" in prompt else None,
            np.array(prompt["box"], np.float32) if "box" in prompt else None)


def published_sam():
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
    sam = Sam(
        image_encoder=ImageEncoderViT(img_size=128, patch_size=16, embed_dim=16, depth=1, num_heads=2, out_chans=16,
                                      window_size=0, global_attn_indexes=(), use_rel_pos=True, qkv_bias=True),
        prompt_encoder=PromptEncoder(embed_dim=16, image_embedding_size=(8, 8), input_image_size=(128, 128), mask_in_chans=4),
        mask_decoder=MaskDecoder(num_multimask_outputs=3, transformer_dim=16, iou_head_depth=2, iou_head_hidden_dim=16,
                                 transformer=TwoWayTransformer(depth=1, embedding_dim=16, mlp_dim=16, num_heads=2)),
        pixel_mean=[123.675, 116.28, 103.53], pixel_std=[58.395, 57.12, 57.375]).eval()
    for name, parameter in sam.named_parameters():
        nn.init.normal_(parameter, std=.4) if parameter.dim() > 1 else None
    return sam


class ByteEncoder(nn.Module):
    """samexporter with pre-processing inside: [H, W, 3] in 0 ... 255."""
    def __init__(self, sam):
        super().__init__()
        self.sam = sam

    def forward(self, input_image):
        x = (input_image.permute(2, 0, 1)[None] - self.sam.pixel_mean) / self.sam.pixel_std
        # Padding as the graph has it: of a size that depends on the input's.
        x = F.pad(x, (0, 128 - x.shape[3], 0, 128 - x.shape[2]))
        return self.sam.image_encoder(x)


def official(image):
    from segment_anything import SamPredictor
    from segment_anything.utils.onnx import SamOnnxModel
    sam = published_sam()

    def export(model, inputs, names, outputs, file, dynamic):
        torch.onnx.export(model, inputs, path(file), input_names=names, output_names=outputs, dynamic_axes=dynamic,
                          dynamo=False, opset_version=17)
        save_model(onnx.load(path(file)), file, {})

    export(sam.image_encoder, torch.zeros(1, 3, 128, 128), ["image"], ["image_embeddings"], "sam_encoder.onnx", None)
    export(ByteEncoder(sam), torch.zeros(85, 128, 3), ["input_image"], ["image_embeddings"], "sam_byte_encoder.onnx",
           {"input_image": {0: "height", 1: "width"}})
    # The exporter loses the embedding's size, which says how large the padded frame is.
    graph = onnx.load(path("sam_byte_encoder.onnx"))
    for dimension, size in zip(graph.graph.output[0].type.tensor_type.shape.dim, (1, 16, 8, 8)):
        dimension.dim_value = size
    save_model(graph, "sam_byte_encoder.onnx", {})
    prompts = dict(image_embeddings=torch.zeros(1, 16, 8, 8), point_coords=torch.rand(1, 5, 2) * 128,
                   point_labels=torch.ones(1, 5), mask_input=torch.zeros(1, 1, 32, 32), has_mask_input=torch.zeros(1),
                   orig_im_size=torch.tensor([48., 60.]))
    for file, single in (("sam_decoder.onnx", False), ("sam_single_decoder.onnx", True)):
        export(SamOnnxModel(sam, return_single_mask=single), tuple(prompts.values()), list(prompts),
               ["masks", "iou_predictions", "low_res_masks"], file,
               {"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}})

    predictor = SamPredictor(sam)
    predictor.set_image(image)
    references = {}
    for index, prompt in enumerate(PROMPTS):
        points, labels, box = arrays(prompt)
        for kind, several in (("several", True), ("single", False)):
            masks, qualities, low = predictor.predict(points, labels, box, multimask_output=several, return_logits=True)
            references[f"{kind}:{index}:masks"] = masks.astype(np.float32)
            references[f"{kind}:{index}:qualities"] = qualities.astype(np.float32)
            references[f"{kind}:{index}:low"] = low.astype(np.float32)
    # Every third row and column is enough to compare.
    for key in [k for k in references if k.endswith("masks")]:
        references[key] = references[key][:, ::3, ::3]
    np.savez_compressed(path("sam.npz"), **references)
    saved("sam.npz")


def hugging_face(image):
    from transformers import SamConfig, SamMaskDecoderConfig, SamModel, SamPromptEncoderConfig, SamVisionConfig
    model = SamModel(SamConfig(
        vision_config=SamVisionConfig(
            hidden_size=16, output_channels=16, num_hidden_layers=1, num_attention_heads=2, image_size=64, patch_size=8,
            window_size=0, global_attn_indexes=[0], mlp_dim=16, num_pos_feats=8).to_dict(),
        prompt_encoder_config=SamPromptEncoderConfig(
            hidden_size=16, image_size=64, patch_size=8, mask_input_channels=4).to_dict(),
        mask_decoder_config=SamMaskDecoderConfig(
            hidden_size=16, mlp_dim=16, num_hidden_layers=1, num_attention_heads=2, iou_head_hidden_dim=16,
            iou_head_depth=2).to_dict())).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=.4) if parameter.dim() > 1 else None

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixel_values):
            positions = self.model.get_image_wide_positional_embeddings().repeat(pixel_values.shape[0], 1, 1, 1)
            return self.model.vision_encoder(pixel_values).last_hidden_state, positions

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_points, input_labels, image_embeddings, image_positional_embeddings, input_boxes=None):
            sparse, dense = self.model.prompt_encoder(
                input_points=input_points, input_labels=input_labels, input_boxes=input_boxes, input_masks=None)
            masks, qualities = self.model.mask_decoder(
                image_embeddings=image_embeddings, image_positional_embeddings=image_positional_embeddings,
                sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense, multimask_output=True)[:2]
            return qualities, masks

    def export(made, inputs, names, outputs, file, dynamic):
        torch.onnx.export(made, inputs, path(file), input_names=names, output_names=outputs, dynamic_axes=dynamic,
                          dynamo=False, opset_version=17)
        save_model(onnx.load(path(file)), file, {})

    export(Encoder(), (torch.zeros(1, 3, 64, 64),), ["pixel_values"], ["image_embeddings", "image_positional_embeddings"],
           "hf_encoder.onnx", None)
    embedding = torch.zeros(1, 16, 8, 8)
    points, labels = torch.rand(1, 3, 2, 2) * 64, torch.ones(1, 3, 2, dtype=torch.int64)
    names = ["input_points", "input_labels", "image_embeddings", "image_positional_embeddings"]
    dynamic = {"input_points": {1: "prompts", 2: "points"}, "input_labels": {1: "prompts", 2: "points"}}
    export(Decoder(), (points, labels, embedding, embedding), names, ["iou_scores", "pred_masks"], "hf_decoder.onnx", dynamic)
    export(Decoder(), (points, labels, embedding, embedding, torch.tensor([[[1., 2., 30., 40.]]]).repeat(1, 3, 1)),
           names + ["input_boxes"], ["iou_scores", "pred_masks"], "hf_box_decoder.onnx",
           dynamic | {"input_boxes": {1: "prompts"}})

    # The published processing, by Pillow: newer releases of the package resize by torchvision.
    content = [int(side * 64 / max(image.shape[:2]) + .5) for side in image.shape[:2]]
    mean, std = np.array([.485, .456, .406]), np.array([.229, .224, .225])
    pixels = torch.zeros(1, 3, 64, 64)
    pixels[0, :, :content[0], :content[1]] = torch.tensor(
        ((resized(image, content[1], content[0]) / 255 - mean) / std).transpose(2, 0, 1))
    ratio = np.array([content[1] / image.shape[1], content[0] / image.shape[0]], np.float32)
    references = {}
    with torch.no_grad():
        features, positions = Encoder()(pixels)
        for index, prompt in enumerate(PROMPTS):
            points, labels, box = arrays(prompt)
            points = None if points is None else torch.tensor(points * ratio)[None, None]
            labels = None if labels is None else torch.tensor(labels)[None, None]
            box = None if box is None else torch.tensor((box.reshape(2, 2) * ratio).reshape(4))[None, None]
            qualities, masks = Decoder()(points, labels, features, positions, box)
            big = F.interpolate(masks[0], (64, 64), mode="bilinear", align_corners=False)
            big = F.interpolate(big[..., :content[0], :content[1]], image.shape[:2], mode="bilinear", align_corners=False)
            references[f"several:{index}:masks"] = big[0, :, ::3, ::3].numpy()
            references[f"several:{index}:qualities"] = qualities[0, 0].numpy()
            references[f"several:{index}:low"] = masks[0, 0].numpy()
    np.savez_compressed(path("hf.npz"), **references)
    saved("hf.npz")


def blobs(image):
    """The published generator on the network that draws blobs."""
    from segment_anything import SamAutomaticMaskGenerator
    side = 256
    model = blob_network.export(side, path("blob_encoder.onnx"), path("blob_decoder.onnx"))
    for file in ("blob_encoder.onnx", "blob_decoder.onnx"):
        save_model(onnx.load(path(file)), file, {})
    cases = []
    for options in (dict(points_per_side=8), dict(points_per_side=8, crop_n_layers=1, crop_n_points_downscale_factor=2),
                    dict(points_per_side=6, min_mask_region_area=60)):
        masks = SamAutomaticMaskGenerator(model, output_mode="uncompressed_rle", **options).generate(image)
        print(options, len(masks))
        assert len(masks) >= 30
        cases.append(dict(options=options, masks=[
            dict(counts=m["segmentation"]["counts"], area=int(m["area"]), quality=m["predicted_iou"],
                 stability=m["stability_score"]) for m in masks]))
    with open(path("blobs.json"), "w") as file:
        json.dump(cases, file, separators=(",", ":"))
    saved("blobs.json")


image = photo()
semantic(image)
official(image)
hugging_face(image)
blobs(image)
