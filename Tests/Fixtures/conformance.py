#!/usr/bin/env python3
"""Writes the cases of the installed `onnx` package into folders: OUT/node/CASE/model.onnx and test_data_set_*/{input,output}_*.pb.

The node cases are made by the package's own generators; the older ones (simple, pytorch-operator, pytorch-converted) lie
in it as files.
"""

import pathlib
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

WRITERS = {
    "map_type": numpy_helper.from_dict,
    "sequence_type": numpy_helper.from_list,
    "optional_type": numpy_helper.from_optional,
}


def serialised(value: object, info: onnx.ValueInfoProto) -> bytes:
    """A value as the message that its declared type asks for."""
    if isinstance(value, onnx.TensorProto):
        return value.SerializeToString()
    write = WRITERS.get(info.type.WhichOneof("value"))
    proto = write(value, info.name) if write else numpy_helper.from_array(np.asarray(value), info.name)
    return proto.SerializeToString()


def write_nodes(out: pathlib.Path) -> int:
    """Writes the node cases and returns their number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = collect_testcases(None)
    for case in cases:
        folder = out / case.name
        for number, values in enumerate(case.data_sets):
            data = folder / f"test_data_set_{number}"
            data.mkdir(parents=True, exist_ok=True)
            for kind, items, infos in zip(
                    ("input", "output"), values, (case.model.graph.input, case.model.graph.output)):
                for index, item in enumerate(items):
                    (data / f"{kind}_{index}.pb").write_bytes(serialised(item, infos[index]))
        (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    return len(cases)


def main() -> None:
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    print(write_nodes(out / "node"), "node cases")
    data = pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data"
    for kind in ("simple", "pytorch-operator", "pytorch-converted"):
        shutil.copytree(data / kind, out / kind)
        print(len(list((out / kind).iterdir())), kind, "cases")


main()
