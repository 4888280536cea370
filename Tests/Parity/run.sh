#!/usr/bin/env bash
# Full-size exports of every family through `convert --run`, against ONNX Runtime: error, time and peak memory.
#
#   Tests/Parity/run.sh EXPORTER OUT [MODEL.onnx …]
#
# EXPORTER is a script that writes the graphs into a folder, as ../shared/tools/export_models.py does; further models are
# compared as well. Then SAM's logits and mask lists against the published package, and gradients against PyTorch's. A
# DeepLab's labels on photos of one's own:
#
#   OUT/venv/bin/python Tests/Parity/deeplab_labels.py .build/release/pipeline OUT MODEL.onnx PHOTO …
#
# Needs about 2 GB in OUT and Python with network access to PyPI on the first run.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
exporter=$(realpath "$1")
out=$2
shift 2
mkdir -p "$out"
if [ ! -x "$out/venv/bin/python" ]; then
    python3 -m venv "$out/venv"
    "$out/venv/bin/pip" install -q torch torchvision segment-anything opencv-python-headless \
        onnx onnxscript onnxruntime numpy pillow
fi
if [ ! -d "$out/exports" ]; then
    "$out/venv/bin/python" "$exporter" "$out/exports.partial"
    mv "$out/exports.partial" "$out/exports"
fi
make -C "$here" build >/dev/null
python=$out/venv/bin/python
photo=$here/samples/desert-flower.jpg
"$python" "$here/Tests/Parity/compare.py" "$here/.build/release/convert" "$out" "$out"/exports/*.onnx "$@"
"$python" "$here/Tests/Parity/sam_logits.py" "$here/.build/release/convert" "$out/sam" "$photo"
"$python" "$here/Tests/Parity/mask_generator.py" "$here/.build/release/pipeline" "$out" "$photo"
"$python" "$here/Tests/Parity/gradients.py" "$here/.build/release/convert" "$out/gradients"
