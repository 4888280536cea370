"""Runs models through `convert --run` and ONNX Runtime in turn and prints a table. Usage: compare.py CONVERT OUT MODEL…"""
import json
import os
import subprocess
import sys
import time

import numpy as np

SIZES = {"H": 384, "W": 384, "num_points": 5}
RUNS = 5


def inputs(path):
    """Seeded inputs in the range that each input has in use."""
    import onnx
    graph = onnx.load(path, load_external_data=False).graph
    weights = {i.name for i in graph.initializer}
    rng, feed = np.random.default_rng(0), {}
    for value in graph.input:
        if value.name in weights:
            continue
        tensor = value.type.tensor_type
        shape = [d.dim_value or SIZES.get(d.dim_param, 1) for d in tensor.shape.dim]
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        if value.name == "orig_im_size":
            array = np.array([1500, 2250])
        elif value.name == "point_coords":
            array = rng.uniform(0, 1023, shape)
        elif value.name == "point_labels":
            array = rng.integers(0, 2, shape)
        elif value.name == "error_levels":
            array = rng.integers(-12, 13, shape) / 255
        elif np.issubdtype(kind, np.floating):
            array = rng.standard_normal(shape)
        else:
            array = rng.integers(0, 255, shape)
        feed[value.name] = array.astype(kind)
    return feed


def reference(path, feed_file, save):
    """In a process of its own, so that its peak memory is its own."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = dict(np.load(feed_file))
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        results = session.run(None, feed)
        times.append(time.perf_counter() - start)
    np.savez(save, **dict(zip([o.name for o in session.get_outputs()], results)))
    # Not from getrusage, whose figure starts at that of the process that started this one.
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    print(json.dumps(dict(ms=float(np.median(times[1:]) * 1e3), mb=peak / 1024)))


def main(convert, out, models):
    failed = False
    print("| graph | error | ms | ONNX Runtime, ms | ratio | MB | ONNX Runtime, MB |\n|---|---|---|---|---|---|---|")
    for model in models:
        name = os.path.basename(model)[:-5]
        feed, theirs, ours = (f"{out}/{name}.{kind}.npz" for kind in ("in", "reference", "ours"))
        np.savez(feed, **inputs(model))
        peer = json.loads(subprocess.run([sys.executable, __file__, "--reference", model, feed, theirs], check=True,
                                         capture_output=True, text=True).stdout)
        run = subprocess.run([convert, model, "--run", feed, "--save", ours, "--repeat", str(RUNS), "--json"],
                             capture_output=True, text=True)
        if run.returncode != 0:
            failed = True
            print(f"| {name} | failed: {run.stderr.strip()} |", flush=True)
            continue
        mine = json.loads(run.stdout)
        expected, got = np.load(theirs), np.load(ours)
        error = 0.0
        for key in expected.files:
            scale = np.abs(expected[key]).max(initial=0)
            # An output that is zero all over has no maximum to relate an error to.
            error = max(error, float(np.abs(expected[key] - got[key]).max(initial=0) / (scale if scale > 0 else 1)))
        failed |= not error <= 1e-4
        print(f"| {name} | {error:.1e} | {mine['medianMilliseconds']:.0f} | {peer['ms']:.0f} "
              f"| {mine['medianMilliseconds'] / peer['ms']:.2f} | {mine['peakMegabytes']:.0f} | {peer['mb']:.0f} |",
              flush=True)
    return 1 if failed else 0


if sys.argv[1] == "--reference":
    reference(*sys.argv[2:5])
else:
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
