"""The rows of the table, without what it takes to make them."""
import sys

CLASSIFIERS = (
    "resnet50 convnext_tiny swin_t swin_v2_t vit_b_16 efficientnet_b0 efficientnet_v2_s mobilenet_v3_large "
    "regnet_y_400mf densenet121 inception_v3 googlenet squeezenet1_1 shufflenet_v2_x1_0 mnasnet1_0 maxvit_t "
    "resnext50_32x4d wide_resnet50_2 tiny_vit_5m_224").split()
SEGMENTERS = (
    "fcn_resnet50 lraspp_mobilenet_v3_large deeplabv3_resnet101 smp_unet_resnet34 smp_fpn_mobilenet_v2 "
    "smp_deeplabv3plus_resnet34 segformer_b0").split()
DETECTORS = "maskrcnn_resnet50_fpn ssdlite320_mobilenet_v3_large".split()
PROMPTED = "sam_vit_h_encoder transformers_sam_encoder transformers_sam_decoder".split()

#: The module of each PyTorch network.
TORCH = (
    dict.fromkeys(CLASSIFIERS, "classifiers") | dict.fromkeys(SEGMENTERS, "segmenters")
    | dict.fromkeys(DETECTORS, "detectors") | dict.fromkeys(PROMPTED, "prompted") | {"crnn": "recognisers"})
KERAS = "keras_resnet50 keras_pspnet keras_deeplabv3plus".split()
CONVERSIONS = (
    "resnet50_qdq resnet50_qoperator resnet50_dynamic resnet50_float16 vit_b_16_mixed vit_b_16_fused "
    "resnet50_optimized swin_t_optimized segformer_b0_optimized").split()
BUILT = "external_data ir13_opset26".split()

#: What makes a row, by its exporter.
SCRIPTS = {
    "torchscript": "export_torch.py", "dynamo": "export_torch.py", "tf2onnx": "export_keras.py",
    "onnxruntime": "convert_model.py", "onnx.helper": "build_model.py"}


def rows():
    """Name and exporter of each row."""
    for exporter in ("torchscript", "dynamo"):
        for name in TORCH:
            yield name, exporter
    for exporter, names in (("tf2onnx", KERAS), ("onnxruntime", CONVERSIONS), ("onnx.helper", BUILT)):
        for name in names:
            yield name, exporter


if __name__ == "__main__":
    wanted = set(sys.argv[1:])
    unknown = wanted - {value for row in rows() for value in row}
    if unknown:
        sys.exit(f"no such model or exporter: {', '.join(sorted(unknown))}")
    for name, exporter in rows():
        if not wanted or name in wanted or exporter in wanted:
            print(name, exporter, SCRIPTS[exporter])
