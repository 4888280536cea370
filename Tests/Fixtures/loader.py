"""Writes the models that the loader's tests read, with the onnx package: python loader.py

What the tests expect of them comes from onnx and numpy as well, and lies in the files' metadata or beside them.
"""
import json
import pathlib

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MODELS = pathlib.Path(__file__).parent.parent / "ONNXLoaderTests" / "Models"


def save(name, model):
    (MODELS / name).write_bytes(model.SerializeToString())


def model(graph, ir=8, opsets=(("", 17),), **arguments):
    return helper.make_model(
        graph, ir_version=ir, opset_imports=[helper.make_opsetid(*opset) for opset in opsets],
        producer_name="loader.py", **arguments)


def value(name, shape=(2, 3), element=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, element, shape)


def add_metadata(model, entries):
    for key, text in entries.items():
        model.metadata_props.add(key=key, value=text)


VALUES = {
    "FLOAT": np.array([0.0, -1.5, np.inf, 3.25e-8, 7], np.float32),
    "UINT8": np.array([0, 1, 127, 128, 255], np.uint8),
    "INT8": np.array([0, 1, 127, -128, -1], np.int8),
    "UINT16": np.array([0, 1, 32767, 32768, 65535], np.uint16),
    "INT16": np.array([0, 1, 32767, -32768, -1], np.int16),
    "INT32": np.array([0, 1, 2**31 - 1, -(2**31), -1], np.int32),
    "INT64": np.array([0, 1, 2**63 - 1, -(2**63), -1], np.int64),
    "BOOL": np.array([True, False, True, True, False]),
    "FLOAT16": np.array([0.0, -1.5, np.inf, 6e-5, 7], np.float16),
    "DOUBLE": np.array([0.0, -1.5, np.inf, 3.25e-300, 7], np.float64),
    "UINT32": np.array([0, 1, 2**31 - 1, 2**31, 2**32 - 1], np.uint32),
    "UINT64": np.array([0, 1, 2**63 - 1, 2**63, 2**64 - 1], np.uint64),
    "COMPLEX64": np.array([0, 1 - 2j, 1j, -1, 7.5 + 0.25j], np.complex64),
    "COMPLEX128": np.array([0, 1 - 2j, 1j, -1, 7.5 + 0.25j], np.complex128),
    "BFLOAT16": np.array([0.0, -1.5, np.inf, 3e-8, 7], ml_dtypes.bfloat16),
    "FLOAT8E4M3FN": np.array([0.0, -1.5, 448, 0.25, 7], ml_dtypes.float8_e4m3fn),
    "FLOAT8E4M3FNUZ": np.array([0.0, -1.5, 240, 0.25, 7], ml_dtypes.float8_e4m3fnuz),
    "FLOAT8E5M2": np.array([0.0, -1.5, 57344, 0.25, 7], ml_dtypes.float8_e5m2),
    "FLOAT8E5M2FNUZ": np.array([0.0, -1.5, 57344, 0.25, 7], ml_dtypes.float8_e5m2fnuz),
    "UINT4": np.array([0, 1, 7, 8, 15], ml_dtypes.uint4),
    "INT4": np.array([0, 1, 7, -8, -1], ml_dtypes.int4),
    "FLOAT4E2M1": np.array([0.0, -1.5, 6, 0.5, 4], ml_dtypes.float4_e2m1fn),
    "FLOAT8E8M0": np.array([1, 2, 0.5, 2.0**100, 2.0**-100], ml_dtypes.float8_e8m0fnu),
    "UINT2": np.array([0, 1, 2, 3, 1], ml_dtypes.uint2),
    "INT2": np.array([0, 1, -2, -1, 1], ml_dtypes.int2),
}


def packed(name, array):
    """The elements as raw_data holds them: little-endian, sub-byte types packed with the first element lowest."""
    bits = {"UINT4": 4, "INT4": 4, "FLOAT4E2M1": 4, "UINT2": 2, "INT2": 2}.get(name)
    if bits is None:
        return array.tobytes()
    total = 0
    for index, byte in enumerate(array.tobytes()):
        total |= (byte & ((1 << bits) - 1)) << (bits * index)
    return total.to_bytes((bits * len(array) + 7) // 8, "little")


def element_types():
    """Every element type twice, in raw_data and in its typed field."""
    tensors, expected = [], {}
    for name, array in VALUES.items():
        number = getattr(TensorProto, name)
        raw = packed(name, array)
        expected[name] = raw.hex()
        tensors.append(helper.make_tensor(name + ".raw", number, array.shape, raw, raw=True))
        typed = helper.make_tensor(name + ".typed", number, array.shape, array)
        assert not typed.HasField("raw_data")
        # onnx agrees that both say the same.
        assert np.array_equal(
            numpy_helper.to_array(typed).view(np.uint8), numpy_helper.to_array(tensors[-1]).view(np.uint8)), name
        tensors.append(typed)
    tensors.append(helper.make_tensor("strings", TensorProto.STRING, [2, 1], ["größer".encode(), b"\x00\xff"]))
    tensors.append(helper.make_tensor("scalar", TensorProto.FLOAT, [], [2.5]))
    tensors.append(helper.make_tensor("empty", TensorProto.FLOAT, [0, 4], []))
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "types", [value("x")], [value("y")], tensors)
    result = model(graph, ir=13, opsets=[("", 25)])
    add_metadata(result, expected)
    save("element-types.onnx", result)


def sparse(name, array, linear):
    positions = np.argwhere(array) if not linear else np.flatnonzero(array)
    return helper.make_sparse_tensor(
        numpy_helper.from_array(array[array != 0], name),
        numpy_helper.from_array(positions.astype(np.int64), name + ".indices"), array.shape)


def sparse_tensors():
    array = np.zeros((3, 5), np.float32)
    array[0, 1], array[2, 0], array[2, 4] = 1.5, -2, 7
    integers = array.astype(np.int16)
    node = helper.make_node("Constant", [], ["c"])
    attribute = node.attribute.add(name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR)
    attribute.sparse_tensor.CopyFrom(sparse("", array, True))
    graph = helper.make_graph(
        [node, helper.make_node("Add", ["c", "coordinates"], ["y"])], "sparse", [], [value("y", (3, 5))],
        sparse_initializer=[sparse("coordinates", array, False), sparse("linear", integers, True)])
    result = model(graph)
    add_metadata(result, {"float": array.tobytes().hex(), "int16": integers.tobytes().hex()})
    save("sparse.onnx", result)


def everything():
    """Attributes of every type, types of every kind, subgraphs that use names from outside, constants and metadata."""
    def branch(name, operator):
        return helper.make_graph(
            [helper.make_node(operator, ["inner", "weight"], [name + ".y"], name=name)], name, [],
            [value(name + ".y")])

    types = [
        helper.make_tensor_type_proto(TensorProto.FLOAT, ["N", 3, None]),
        helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.INT64, None)),
        helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [2])),
        helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, [])),
        helper.make_sparse_tensor_type_proto(TensorProto.DOUBLE, [4, 4]),
    ]
    small = numpy_helper.from_array(np.arange(4, dtype=np.int64), "small")
    custom = helper.make_node(
        "Everything", ["z"], ["custom"], name="custom", domain="test.custom",
        f=1.5, i=-7, s="text", t=small, g=branch("g", "Add"), fs=[0.5, -2.0], ints=[1, 2**40], ss=["a", "b"],
        ts=[small, small], gs=[branch("g1", "Add"), branch("g2", "Mul")], tp=types[0], tps=types[1:])
    weight = np.arange(6 * 40, dtype=np.float32).reshape(40, 6)[:2, :3]
    nodes = [
        helper.make_node("Add", ["x", "weight"], ["inner"], name="sum", doc_string="a sum"),
        helper.make_node("Greater", ["flag", "half"], ["condition"]),
        helper.make_node(
            "If", ["condition"], ["z"], name="choice", then_branch=branch("then", "Add"),
            else_branch=branch("else", "Mul")),
        custom,
        helper.make_node("Clip", ["z", "", "half"], ["y"], name="clip"),
    ]
    graph = helper.make_graph(
        nodes, "everything",
        [value("x", ["N", 3]), value("flag", [])]
        + [helper.make_value_info(f"kind{index}", kind) for index, kind in enumerate(types)],
        [value("y", None), value("custom")],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.float32(0.5), "half"),
         numpy_helper.from_array(np.arange(1000, dtype=np.float32), "unused")],
        doc_string="a graph", value_info=[value("inner", ["N", 3])])
    result = model(
        graph, opsets=[("ai.onnx", 17), ("test.custom", 1)], producer_version="1.0", domain="test", model_version=3,
        doc_string="a model")
    add_metadata(result, {"key": "value", "empty": ""})
    save("everything.onnx", result)
    # At which lengths a truncated copy is still a message, by another reader of protobuf.
    data = result.SerializeToString()
    lengths = []
    for length in range(1, len(data)):
        try:
            onnx.ModelProto.FromString(data[:length])
            lengths.append(length)
        except Exception:
            pass
    (MODELS / "everything.prefixes.json").write_text(json.dumps(lengths) + "\n")


def functions():
    """What came after IR 8: attributes with defaults, overloads, metadata of nodes, devices, new element types."""
    def function(overload, operator):
        result = helper.make_function(
            "test.functions", "Scale", ["x"], ["y"],
            [
                helper.make_node("Constant", [], ["factor"], value_float=2.0),
                helper.make_node(operator, ["x", "factor"], ["scaled"]),
                helper.make_node("LeakyRelu", ["scaled"], ["leaky"]),
                helper.make_node("Elu", ["leaky"], ["y"]),
            ],
            [helper.make_opsetid("", 26)], ["slope"], [helper.make_attribute("alpha", 0.25)], overload=overload)
        for node, name in ((result.node[2], "slope"), (result.node[3], "alpha")):
            node.attribute.add(name="alpha", ref_attr_name=name, type=onnx.AttributeProto.FLOAT)
        return result

    nodes = [
        helper.make_node("Scale", ["x"], ["m"], domain="test.functions", overload="product", slope=0.5),
        helper.make_node("Scale", ["m"], ["y"], domain="test.functions", overload="sum", slope=0.5, alpha=0.75),
    ]
    nodes[0].metadata_props.add(key="namespace", value="somewhere")
    nodes[0].device_configurations.add(configuration_id="devices", pipeline_stage=1)
    graph = helper.make_graph(nodes, "functions", [value("x")], [value("y")])
    graph.metadata_props.add(key="a", value="b")
    result = model(
        graph, ir=13, opsets=[("", 26), ("test.functions", 1)],
        functions=[function("product", "Mul"), function("sum", "Add")])
    result.configuration.add(name="devices", num_devices=2)
    onnx.checker.check_model(result)
    save("functions.onnx", result)


def versions():
    """The same graph with the operator set and IR versions that came after libonnx 1.12, and one beyond what is known."""
    for opset, ir in [(18, 8), (19, 9), (20, 9), (21, 10), (22, 10), (23, 11), (24, 12), (25, 12), (26, 13), (99, 99)]:
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value("x")], [value("y")])
        save(f"opset{opset}-ir{ir}.onnx", model(graph, ir=ir, opsets=[("", opset)]))


def problems():
    """Many things wrong at once."""
    tensor = TensorProto(name="short", data_type=TensorProto.FLOAT, dims=[2, 3], raw_data=b"\0" * 20)
    attribute = onnx.AttributeProto(name="axis", type=onnx.AttributeProto.INT, f=1.5)
    nodes = [
        helper.make_node("Relu", ["later"], ["early"], name="early"),
        helper.make_node("Add", ["x", "nowhere"], ["later"], name="later"),
        helper.make_node("Relu", ["x"], ["later"], name="again"),
        helper.make_node("Strange", ["x", "short"], ["strange"], name="strange", domain="test.unknown"),
        helper.make_node("Softmax", ["x"], ["s"], name="softmax"),
    ]
    nodes[4].attribute.append(attribute)
    graph = helper.make_graph(nodes, "problems", [value("x")], [value("y")], [tensor])
    save("problems.onnx", model(graph))


MODELS.mkdir(exist_ok=True)
element_types()
sparse_tensors()
everything()
functions()
versions()
problems()
