#!/bin/bash
# Builds the runner, installs the other runtimes and the exporters in a virtual environment, writes the graphs, and times all
# of them in turn. Results go to Benchmarks/results, or to --out. About 2.5 GB and 20 minutes; nothing else should run.
set -e
cd "$(dirname "$0")"
environment=.build/environment
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/pip" install -q onnxruntime==1.31.1 openvino==2026.4.1 MNN==3.6.1 ncnn==1.0.20261020 pnnx==20261020 \
    numpy matplotlib
if ! ls .build/graphs/*.onnx > /dev/null 2>&1; then
    "$environment/bin/pip" install -q torch torchvision --index-url https://download.pytorch.org/whl/cpu ||
        "$environment/bin/pip" install -q torch torchvision
    "$environment/bin/pip" install -q segment-anything
    "$environment/bin/python" export.py .build/graphs
fi
swift build -c release
PATH="$PWD/$environment/bin:$PATH" "$environment/bin/python" peers.py .build/graphs .build/release/graphs --out results "$@"
