#!/bin/bash
# Builds the runners, installs the other runtimes and the exporters in a virtual environment, writes the graphs, and times all
# of them in turn; then ours with one thread and with all, and single layers beside OpenBLAS. Results go to
# Benchmarks/results. About 4 GB and 30 minutes; nothing else should run.
set -e
cd "$(dirname "$0")"
environment=.build/environment
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/pip" install -q onnxruntime==1.31.1 openvino==2026.4.1 MNN==3.6.1 ncnn==1.0.20261020 pnnx==20261020 \
    torch torchvision segment-anything onnx numpy matplotlib
[ -f .build/graphs/sam-decoder-5-points.onnx ] || "$environment/bin/python" export.py .build/graphs
swift build -c release
PATH="$PWD/$environment/bin:$PATH" "$environment/bin/python" peers.py .build/graphs .build/release/graphs --out results "$@"
.build/release/graphs .build/graphs/*.onnx | tee results/threads.md
.build/release/kernels | tee results/kernels.md
