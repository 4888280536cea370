"""Writes the graphs that are timed, with random weights, and inputs beside them (.npz): `python export.py OUT`."""
import sys
import warnings
from pathlib import Path

import numpy
import torch
import torchvision
from segment_anything import sam_model_registry
from segment_anything.utils.onnx import SamOnnxModel
from torch import nn

sys.path.append(str(Path(__file__).parent.parent / "Tests/Parity"))
from networks import PSPNet, Segmentation, randomize  # noqa: E402


def write(model, inputs, path, outputs):
    """The graph with inputs by name; the names' order is the order of the model's arguments."""
    numpy.savez(path.with_suffix(".npz"), **{name: value.numpy() for name, value in inputs.items()})
    if path.exists():
        return
    randomize(model)
    torch.onnx.export(model.eval(), tuple(inputs.values()), path, input_names=list(inputs), output_names=outputs,
                      opset_version=17, dynamo=False)


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    segmentation = torchvision.models.segmentation
    plain = {
        "resnet50-384": (torchvision.models.resnet50(weights=None), 384),
        "deeplabv3-resnet50-513": (Segmentation(segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None)), 513),
        "deeplabv3-mobilenetv3-513": (
            Segmentation(segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None)), 513),
        "pspnet50-480": (PSPNet(), 480),
    }
    for name, (model, side) in plain.items():
        write(model, {"input": torch.randn(1, 3, side, side)}, out / f"{name}.onnx", ["out"])
    sam = sam_model_registry["vit_b"]()
    for name, parameter in sam.image_encoder.named_parameters():
        if "rel_pos" in name or "pos_embed" in name:
            nn.init.normal_(parameter, std=0.02)
    write(sam.image_encoder, {"image": torch.randn(1, 3, 1024, 1024)}, out / "sam-vit-b-encoder-1024.onnx", ["embeddings"])
    prompts = {
        "image_embeddings": torch.randn(1, 256, 64, 64), "point_coords": torch.randint(0, 1024, (1, 5, 2)).float(),
        "point_labels": torch.randint(0, 2, (1, 5)).float(), "mask_input": torch.randn(1, 1, 256, 256),
        "has_mask_input": torch.tensor([1.0]), "orig_im_size": torch.tensor([1500.0, 2250.0]),
    }
    write(SamOnnxModel(sam, return_single_mask=False), prompts, out / "sam-decoder-5-points.onnx",
          ["masks", "iou_predictions", "low_res_masks"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
