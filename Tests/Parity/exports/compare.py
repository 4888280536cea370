"""Compares one model with ONNX Runtime and adds its row.

    compare.py CONVERT MODEL.onnx INPUTS.npz NAME EXPORTER RESULTS

An output's error is the largest difference relative to the output's largest absolute value. Where quantised models
differ, because a value on the edge between two steps may fall to either side, every node is compared on ONNX Runtime's
own intermediate values (nodes.py).
"""
import json
import subprocess
import sys

import numpy as np
import onnx
import onnx.reference
import onnxruntime

from nodes import compare_nodes

TOLERANCE, HALF_TOLERANCE = 1e-4, 1e-2


def count(graph):
    """Nodes, with those of inner graphs."""
    inner = (a for node in graph.node for a in node.attribute)
    return len(graph.node) + sum(count(g) for a in inner for g in ([a.g] if a.HasField("g") else a.graphs))


def reference(path, feed):
    """ONNX Runtime's outputs, or the reference evaluator's where ONNX Runtime does not read the model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common type of their own.
        print(str(error).strip().splitlines()[0], file=sys.stderr)
        evaluator = onnx.reference.ReferenceEvaluator(path)
        return dict(zip(evaluator.output_names, evaluator.run(None, feed))), "reference evaluator of onnx"
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feed))), "ONNX Runtime"


def distance(expected, got):
    """The error of one output; infinite where shapes or types differ."""
    if expected.shape != got.shape or expected.dtype != got.dtype:
        return float("inf")
    if not expected.size:
        return 0.0
    expected, got = expected.astype(np.float64), got.astype(np.float64)
    scale = np.abs(expected).max()
    return float(np.abs(expected - got).max() / (scale if scale > 0 else 1))


def run(convert, model, inputs, outputs):
    """Runs `convert`; what it complained about, or nothing."""
    done = subprocess.run([convert, model, "--run", inputs, "--save", outputs], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip() or f"ended with {done.returncode}"


def compare(convert, path, inputs):
    model = onnx.load(path, load_external_data=False)
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    row = dict(opset=opset, nodes=count(model.graph) + sum(len(f.node) for f in model.functions), error=None)
    feed = dict(np.load(inputs))
    row["input"] = "×".join(map(str, next(iter(feed.values())).shape))
    saved = path.removesuffix(".onnx") + ".ours.npz"
    expected, row["peer"] = reference(path, feed)
    complaint = run(convert, path, inputs, saved)
    if complaint:
        return row | dict(status="failed", note=complaint)
    got = np.load(saved)
    errors = {name: distance(value, got[name]) for name, value in expected.items()}
    worst = max(errors, key=errors.get)
    kinds = {tensor.data_type for tensor in model.graph.initializer}
    half = bool(kinds & {onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16})
    row |= dict(error=errors[worst])
    if errors[worst] <= (HALF_TOLERANCE if half else TOLERANCE):
        return row | dict(status="passed", note="" if row["peer"] == "ONNX Runtime" else f"against the {row['peer']}")
    if any("Quantize" in node.op_type or "QLinear" in node.op_type for node in model.graph.node):
        summary, wrong = compare_nodes(model, feed, lambda *files: run(convert, *files), path.removesuffix(".onnx"))
        note = f"{len(wrong)} nodes: {wrong[0]}" if wrong else summary
        return row | dict(status="failed" if wrong else "passed", note=note)
    return row | dict(status="failed", note=f"output {worst}")


def main(convert, model, inputs, name, exporter, results):
    row = dict(name=name, exporter=exporter)
    try:
        row |= compare(convert, model, inputs)
    except Exception as error:  # A model that cannot be compared is a row of the table.
        row |= dict(opset=None, nodes=None, error=None, status="failed", note=f"{type(error).__name__}: {error}")
    with open(results, "a") as file:
        file.write(json.dumps(row) + "\n")
    print(f"{name} {exporter}: {row['status']} {row['error']} {row['note']}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
