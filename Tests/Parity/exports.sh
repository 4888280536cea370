#!/usr/bin/env bash
# Models of every exporter through `convert --run`, against ONNX Runtime: a table of errors.
#
#   Tests/Parity/exports.sh OUT [NAME …]
#
# NAME is a model or an exporter of exports/catalogue.py; all by default. What OUT/results.jsonl has is not made again:
# take its line out, or the file away, to repeat. With KEEP=1 the models stay (16 GB). Other interpreters than those made
# in OUT, and another build, by PYTHON, KERAS_PYTHON and CONVERT. The first run needs PyPI and about 8 GB.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
scripts=$here/Tests/Parity/exports
mkdir -p "$1/models"
out=$(realpath "$1")
shift
python=${PYTHON:-$out/venv/bin/python}
keras=${KERAS_PYTHON:-$out/venv-keras/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$out/venv"
    "$python" -m pip install -q torch torchvision segment-anything segmentation-models-pytorch timm transformers \
        onnx onnxscript onnxruntime sympy numpy
fi
# TensorFlow and tf2onnx hold onnx back.
if [ ! -x "$keras" ]; then
    python3 -m venv "$out/venv-keras"
    "$keras" -m pip install -q tensorflow-cpu tf2onnx "onnx<1.18" numpy
fi
convert=${CONVERT:-$here/.build/release/convert}
[ -n "${CONVERT:-}" ] || make -C "$here" build >/dev/null
results=$out/results.jsonl
touch "$results"
"$python" "$scripts/catalogue.py" "$@" >"$out/wanted"
while read -r name exporter script; do
    grep -q "\"name\": \"$name\", \"exporter\": \"$exporter\"" "$results" && continue
    model=$out/models/$name-$exporter
    interpreter=$python
    [ "$exporter" = tf2onnx ] && interpreter=$keras
    # The inputs are written last.
    if [ ! -e "$model.npz" ] && ! "$interpreter" "$scripts/$script" "$name" "$exporter" "$model.onnx" "$model.npz" \
        >"$model.log" 2>&1; then
        rm -f "$model".onnx* "$model.npz"
        "$python" "$scripts/refused.py" "$name" "$exporter" "$model.log" "$results"
        continue
    fi
    "$python" "$scripts/compare.py" "$convert" "$model.onnx" "$model.npz" "$name" "$exporter" "$results"
    [ -n "${KEEP:-}" ] || rm -f "$model".*
done <"$out/wanted"
"$python" "$scripts/table.py" "$results"
