#!/usr/bin/env python3
"""Expected results of operators, from ONNX Runtime.

    python3 -m venv venv && venv/bin/pip install numpy onnx onnxruntime
    venv/bin/python Tests/Fixtures/operators.py

Writes operators.json beside itself: applications of single operators in binary32, with inputs drawn at random and rounded
to hundredths, and what ONNX Runtime's processor gives.
"""
import json, os
import numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper

random = np.random.RandomState(3)
TYPES = {np.dtype(np.float32): "float32", np.dtype(np.int32): "int32", np.dtype(np.int64): "int64",
    np.dtype(np.uint8): "uint8", np.dtype(np.int8): "int8"}
cases = []


def numbers(*shape):
    return np.round(random.uniform(-1, 1, shape), 2).astype(np.float32)


def integers(high, *shape, dtype=np.int32):
    return random.randint(0, high, shape).astype(dtype)


def literal(array):
    if array is None:
        return None
    values = [float(f"{value:.9g}") for value in array.ravel()] if array.dtype == np.float32 else array.ravel().tolist()
    return dict(type=TYPES[array.dtype], shape=list(array.shape), values=values)


def attribute(value):
    kind = {int: "int", float: "float", str: "string"}
    if isinstance(value, list):
        return {kind[type(value[0])] + "s": value}
    return {kind[type(value)]: value}


def case(name, inputs, outputs=1, domain="", opset=None, note="", **attributes):
    """`outputs` says how many there are, or which of them are wanted."""
    inputs = [value if value is None else np.asarray(value) for value in inputs]
    wanted = [True] * outputs if isinstance(outputs, int) else outputs
    names = [f"output{index}" if is_wanted else "" for index, is_wanted in enumerate(wanted)]
    node = helper.make_node(
        name, [f"input{index}" if value is not None else "" for index, value in enumerate(inputs)], names,
        domain=domain, **attributes)
    graph = helper.make_graph([node], "case", [
        helper.make_tensor_value_info(f"input{index}", helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for index, value in enumerate(inputs) if value is not None
    ], [helper.make_empty_tensor_value_info(output) for output in names if output])
    opset = opset or (1 if domain else 22)
    imports = [helper.make_opsetid("", 22 if domain else opset)]
    if domain:
        imports.append(helper.make_opsetid(domain, opset))
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    results = iter(session.run(None, {
        f"input{index}": value for index, value in enumerate(inputs) if value is not None}))
    cases.append(dict(
        name=name, domain=domain, opset=opset, note=note,
        attributes={key: attribute(value) for key, value in attributes.items()},
        inputs=[literal(value) for value in inputs],
        outputs=[literal(next(results)) if is_wanted else None for is_wanted in wanted]))


def microsoft(name, inputs, outputs=1, **attributes):
    case(name, inputs, outputs, domain="com.microsoft", **attributes)


def activations():
    x, bias = numbers(2, 3, 4) * 3, numbers(4)
    microsoft("Gelu", [x])
    microsoft("QuickGelu", [x])
    microsoft("QuickGelu", [x], alpha=0.5)
    microsoft("BiasGelu", [x, bias])
    microsoft("FastGelu", [x, bias])
    microsoft("FastGelu", [x])


def products():
    a, b = numbers(2, 3, 4), numbers(2, 4, 5)
    microsoft("FusedMatMul", [a, b], alpha=0.5)
    microsoft("FusedMatMul", [a.swapaxes(1, 2).copy(), b], transA=1)
    microsoft("FusedMatMul", [a, b.swapaxes(1, 2).copy()], transB=1, alpha=2.0)
    microsoft("FusedMatMul", [a.swapaxes(1, 2).copy(), b[0].T.copy()], transA=1, transB=1)
    microsoft("FusedGemm", [a[0], b[0], numbers(5)], activation="Relu", beta=0.5)
    microsoft("FusedGemm", [a[0], b[0]], activation="LeakyRelu", activation_alpha=0.25, alpha=2.0)
    x, weights, bias = numbers(1, 2, 5, 4), numbers(3, 2, 3, 3), numbers(3)
    microsoft("FusedConv", [x, weights, bias], activation="Relu", pads=[1, 1, 1, 1])
    microsoft("FusedConv", [x, weights], activation="LeakyRelu", activation_params=[0.2], strides=[2, 1])
    microsoft("FusedConv", [x, weights, bias, numbers(1, 3, 3, 2)], activation="Relu", note="with a residual")
    microsoft("FusedConv", [x, weights, bias], activation="Clip", activation_params=[-0.25, 0.5])
    microsoft("FusedConv", [x, weights, bias], activation="HardSigmoid", activation_params=[0.3, 0.4])
    microsoft("NhwcMaxPool", [integers(100, 1, 5, 4, 3, dtype=np.uint8)], kernel_shape=[3, 2], strides=[2, 1],
        pads=[1, 0, 1, 1])
    microsoft("NhwcMaxPool", [integers(100, 2, 6, 2, dtype=np.int8)], kernel_shape=[2], dilations=[2])


def normalizations():
    x, skip, scale, beta, bias = numbers(2, 3, 4), numbers(2, 3, 4), numbers(4), numbers(4), numbers(4)
    with_sum = [True, False, False, True]
    microsoft("SkipLayerNormalization", [x, skip, scale, beta, bias], with_sum, epsilon=1e-5)
    microsoft("SkipLayerNormalization", [x, skip[0], scale, beta], epsilon=1e-5, note="one skip for all")
    microsoft("SkipSimplifiedLayerNormalization", [x, skip, scale, bias], with_sum, epsilon=1e-5)
    microsoft("SkipSimplifiedLayerNormalization", [x, skip, scale], epsilon=1e-5)
    case("SimplifiedLayerNormalization", [x, scale], epsilon=1e-3, axis=-1)
    words, segments = integers(7, 2, 3), integers(2, 2, 3)
    tables = [numbers(7, 4), numbers(5, 4), numbers(2, 4)]
    microsoft("EmbedLayerNormalization", [words, segments] + tables + [scale, beta, np.int32([[1, 1, 0], [1, 1, 1]])],
        3, epsilon=1e-5)
    microsoft("EmbedLayerNormalization", [words, None] + tables[:2] + [None, scale, beta, None, integers(5, 2, 3)],
        2, epsilon=1e-5, note="positions")


def attention():
    x, weights, bias = numbers(2, 3, 4), numbers(4, 12), numbers(12)
    microsoft("Attention", [x, weights, bias], num_heads=2)
    microsoft("Attention", [x, weights, bias, np.int32([[1, 1, 0], [1, 0, 1]])], num_heads=2, note="mask")
    microsoft("Attention", [x, weights, bias, np.int32([2, 3])], num_heads=2, note="ends")
    microsoft("Attention", [x, weights, bias, np.int32([2, 3, 0, 1])], num_heads=2, note="ends and starts")
    microsoft("Attention", [x, weights, bias, None, numbers(2, 2, 2, 2, 2)], 2, num_heads=2, unidirectional=1)
    microsoft("Attention", [x, weights, bias, None, None, numbers(1, 2, 3, 3)], num_heads=2, scale=0.3)
    microsoft("Attention", [x, numbers(4, 14), numbers(14)], num_heads=2, qkv_hidden_sizes=[4, 4, 6])
    query, key, value, bias = numbers(2, 3, 4), numbers(2, 5, 4), numbers(2, 5, 6), numbers(14)
    microsoft("MultiHeadAttention", [query, key, value], num_heads=2)
    microsoft("MultiHeadAttention", [query, key, value, bias], num_heads=2)
    microsoft("MultiHeadAttention", [query, key, value, None, np.int32([[1, 1, 0, 1, 1], [1, 0, 1, 1, 0]])], num_heads=2)
    microsoft("MultiHeadAttention", [query, key, value, None, None, numbers(2, 1, 3, 5)], num_heads=2, scale=0.7)
    microsoft("MultiHeadAttention", [
        query, query[:, ::-1].copy(), numbers(2, 3, 4), None, None, None, numbers(2, 2, 2, 2), numbers(2, 2, 2, 2)],
        3, num_heads=2, unidirectional=1)
    microsoft("MultiHeadAttention", [query, numbers(2, 2, 5, 2), numbers(2, 2, 5, 2)], num_heads=2, note="heads apart")


def recurrences():
    """Each with what the standard's own cases leave out."""
    length, batch, size, hidden = 3, 2, 2, 3
    x = numbers(length, batch, size)

    def parameters(gates, directions, states, bias=True):
        return [x, numbers(directions, gates * hidden, size), numbers(directions, gates * hidden, hidden),
            numbers(directions, 2 * gates * hidden) if bias else None] + states

    def state(directions):
        return numbers(directions, batch, hidden)

    ends = np.int32([3, 1])
    both = dict(direction="bidirectional", hidden_size=hidden)
    case("RNN", parameters(1, 2, [ends, state(2)]), 2, **both)
    case("RNN", parameters(1, 1, []), 2, hidden_size=hidden, activations=["LeakyRelu"], activation_alpha=[0.3])
    case("RNN", parameters(1, 1, [ends]), 2, hidden_size=hidden, direction="reverse", clip=0.2)
    for name in ["Affine", "ScaledTanh", "HardSigmoid"]:
        case("RNN", parameters(1, 1, []), 2, hidden_size=hidden, activations=[name], activation_alpha=[0.4],
            activation_beta=[0.3])
    for name in ["Relu", "Softsign", "Softplus", "Sigmoid"]:
        case("RNN", parameters(1, 1, []), 2, hidden_size=hidden, activations=[name])
    for name in ["Elu", "ThresholdedRelu"]:
        case("RNN", parameters(1, 1, []), 2, hidden_size=hidden, activations=[name], activation_alpha=[0.4])
    case("GRU", parameters(3, 2, [ends, state(2)]), 2, **both)
    case("GRU", parameters(3, 2, [ends, state(2)]), 2, linear_before_reset=1, **both)
    case("GRU", parameters(3, 1, [], bias=False), 2, hidden_size=hidden, linear_before_reset=1)
    case("GRU", parameters(3, 1, []), 2, hidden_size=hidden, activations=["HardSigmoid", "Softsign"],
        activation_alpha=[0.3], activation_beta=[0.4], clip=0.5)
    case("LSTM", parameters(4, 2, [ends, state(2), state(2), numbers(2, 3 * hidden)]), 3, **both)
    case("LSTM", parameters(4, 1, [None, state(1), state(1)]), 3, hidden_size=hidden, direction="reverse", clip=0.3)
    case("LSTM", parameters(4, 1, []), 3, hidden_size=hidden, input_forget=1)
    case("LSTM", parameters(4, 1, []), 3, hidden_size=hidden, activations=["HardSigmoid", "Softsign", "Relu"])


def signals():
    case("DFT", [numbers(2, 7, 1)], opset=17, note="odd length")
    case("DFT", [numbers(2, 6, 2), np.int64(5)], opset=17, inverse=1, note="cut")
    case("DFT", [numbers(1, 5, 2), np.int64(8)], opset=17, note="filled up")
    case("DFT", [numbers(2, 3, 9, 1), None, np.int64(-2)], opset=20, onesided=1)
    case("STFT", [numbers(2, 12, 1), np.int64(3), numbers(5)], opset=17, onesided=1)
    case("STFT", [numbers(1, 10, 1), np.int64(2), None, np.int64(4)], opset=17, onesided=0)
    scalars = [np.int64(5), np.int64(16), np.int64(8000), np.float32(100), np.float32(3500)]
    case("MelWeightMatrix", scalars, opset=17)


activations()
products()
normalizations()
attention()
recurrences()
signals()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "operators.json"), "w") as file:
    json.dump(cases, file, separators=(",", ":"))
print(len(cases), "cases")
