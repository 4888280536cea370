"""Compares a model node by node: every node gets ONNX Runtime's values, so that no difference travels further."""
import numpy as np
import onnx
import onnxruntime

#: Relative to the output's maximum; of outputs of integers, in steps.
FLOATING, STEPS = 1e-4, 1
CUT = ".computed"


def observed(model, feed):
    """Every value between nodes, as ONNX Runtime computes it without optimisation."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    present = {output.name for output in whole.graph.output}
    inner = (name for node in whole.graph.node for name in node.output)
    whole.graph.output.extend(onnx.ValueInfoProto(name=name) for name in inner if name and name not in present)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(whole.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, feed)))


def severed(model, values):
    """The same nodes, each of which reads inputs of the graph and writes outputs of the graph."""
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    graph = cut.graph
    for node in graph.node:
        for index, name in enumerate(node.output):
            if name:
                node.output[index] = name + CUT
    used = {name for node in graph.node for name in node.input}
    del graph.output[:], graph.value_info[:]
    for name, value in values.items():
        kind = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
        graph.output.append(onnx.helper.make_tensor_value_info(name + CUT, kind, None))
        if name in used:
            graph.input.append(onnx.helper.make_tensor_value_info(name, kind, value.shape))
    return cut, {name: value for name, value in values.items() if name in used}


def compare_nodes(model, feed, run, base):
    """A summary, and a line for each node that is further off than one step."""
    values = observed(model, feed)
    cut, inputs = severed(model, values)
    files = [base + ending for ending in (".nodes.onnx", ".nodes.npz", ".nodes.ours.npz")]
    onnx.save(cut, files[0])
    np.savez(files[1], **feed, **inputs)
    complaint = run(*files)
    if complaint:
        return "", [complaint]
    got, wrong, integers, off = np.load(files[2]), [], 0, 0
    for node in model.graph.node:
        for name in filter(None, node.output):
            expected, result = values[name], got[name + CUT]
            if expected.shape != result.shape or expected.dtype != result.dtype:
                wrong.append(f"{node.op_type} {name} is {result.dtype} {result.shape}")
                continue
            difference = np.abs(expected.astype(np.float64) - result.astype(np.float64)).max(initial=0)
            scale = max(float(np.abs(expected).max(initial=0)), 1e-30)
            bound = FLOATING * scale
            if expected.dtype.kind in "iu":
                bound, integers, off = STEPS, integers + expected.size, off + int((expected != result).sum())
            if not difference <= bound:
                wrong.append(f"{node.op_type} {name} is off by {difference:.3g} of {scale:.3g}")
    return f"node by node {off} of {integers} integers are off by one step", wrong
