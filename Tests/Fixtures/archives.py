#!/usr/bin/env python3
"""Writes the files of arrays and weights that the archive tests read, into `archives/` beside this script.

    python3 archives.py         (needs numpy, torch and safetensors)

Values follow simple formulas, which the tests repeat. The hostile files are made by hand: what they would do elsewhere
is to run a command, to fill the memory, or to read outside their storage.
"""
import io, json, os, pickle, struct, warnings, zipfile
from collections import OrderedDict
import numpy as np
import torch
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "archives")
os.makedirs(out, exist_ok=True)
path = lambda name: os.path.join(out, name)
steps = lambda count, dtype: (np.arange(count) - 3).astype(dtype)        # -3, -2, …


def numpy_files():
    arrays = {f"{kind}": steps(6, kind).reshape(2, 3) for kind in ("i1", "i2", "i4", "i8", "f2", "f4", "f8")}
    arrays |= {f"{kind}": np.arange(6).astype(kind).reshape(3, 2) for kind in ("u1", "u2", "u4", "u8")}
    arrays |= {
        "scalar": np.float32(0.5), "flags": np.array([True, False, True]), "empty": np.zeros((0, 3), "f4"),
        "c8": (steps(3, "f4") + 2j).astype("c8"), "c16": steps(3, "f8") - 1j,
        "unicode": np.array([["é", "cat"], ["", "dog🐕"]]), "ascii": np.array([b"ab", b"c"]),
        "nested.name/with space": np.arange(3, dtype="f4"),
    }
    np.savez(path("plain.npz"), **arrays)
    np.savez_compressed(path("compressed.npz"), **arrays)
    box = np.arange(24, dtype="f4").reshape(2, 3, 4)
    np.savez(path("layout.npz"), fortran=np.asfortranarray(box), big=box.astype(">f4"), big16=box.astype(">i2"),
             bigFortran=np.asfortranarray(box.astype(">f8")), bigComplex=(np.arange(3) + 1j * np.arange(3)).astype(">c16"))
    for version in (1, 2, 3):
        with open(path(f"version{version}.npy"), "wb") as file:
            np.lib.format.write_array(file, np.arange(4, dtype="<i4"), version=(version, 0))
    np.savez_compressed(path("zeros.npz"), zeros=np.zeros(1 << 24, "u1"))          # 16 MB in 16 KB
    np.savez(path("objects.npz"), objects=np.array([{"a": 1}, None], dtype=object))
    np.save(path("records.npy"), np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
    np.save(path("small.npy"), np.arange(3, dtype="f4"))
    np.savez(path("small.npz"), a=np.arange(3, dtype="f4"))

    def npy(name, header, payload=b""):
        header = header.encode("latin1") + b"\n"
        with open(path(name), "wb") as file:
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload)
    npy("hugeShape.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", b"\0" * 16)
    npy("overflowingShape.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }")
    npy("negativeShape.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", b"\0" * 4)
    npy("emptyStrings.npy", "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }")
    npy("notBooleans.npy", "{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }", bytes([0, 1, 2, 255]))


def safetensors_files():
    values = torch.arange(6, dtype=torch.float32).reshape(2, 3) - 3
    kinds = dict(F64=torch.float64, F32=torch.float32, F16=torch.float16, BF16=torch.bfloat16, I64=torch.int64,
                 I32=torch.int32, I16=torch.int16, I8=torch.int8, F8_E4M3=torch.float8_e4m3fn, F8_E5M2=torch.float8_e5m2)
    tensors = {name: values.to(kind) for name, kind in kinds.items()}
    tensors |= {"U8": torch.arange(6, dtype=torch.uint8), "BOOL": torch.tensor([True, False, True]),
                "scalar": torch.tensor(0.5), "empty": torch.zeros(0, 3)}
    save_file(tensors, path("plain.safetensors"), metadata={"format": "pt"})
    save_file({"a": torch.arange(3, dtype=torch.float32)}, path("small.safetensors"))

    def raw(name, header, payload=b"", length=None):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        with open(path(name), "wb") as file:
            file.write(struct.pack("<Q", len(text) if length is None else length) + text + payload)
    entry = lambda shape, begin, end, dtype="F32": dict(dtype=dtype, shape=shape, data_offsets=[begin, end])
    raw("overlap.safetensors", {"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, b"\0" * 12)
    raw("gap.safetensors", {"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, b"\0" * 12)
    raw("beyond.safetensors", {"a": entry([4], 0, 16)}, b"\0" * 8)
    raw("trailing.safetensors", {"a": entry([1], 0, 4)}, b"\0" * 8)
    raw("negative.safetensors", {"a": entry([1], -4, 0)}, b"\0" * 8)
    raw("shape.safetensors", {"a": entry([1 << 40], 0, 4)}, b"\0" * 4)
    raw("hugeHeader.safetensors", {"a": entry([1], 0, 4)}, b"\0" * 4, length=1 << 39)
    raw("longHeader.safetensors", {"a": entry([1], 0, 4)}, b"\0" * 4, length=4000)
    raw("duplicate.safetensors", b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', b"\0" * 8)
    raw("deep.safetensors", b'{"a":' + b"[" * 50000 + b"]" * 50000 + b"}")
    raw("unknownType.safetensors", {"a": entry([4], 0, 3, "F6_E2M3")}, b"\0" * 3)


def state():
    return OrderedDict([
        ("conv.weight", torch.arange(24, dtype=torch.float32).reshape(2, 3, 2, 2)), ("conv.bias", torch.tensor([.5, -.5])),
        ("bn.running_mean", torch.tensor([1., 2.])), ("bn.num_batches_tracked", torch.tensor(7))])


def pytorch_files():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 2, 2)
            self.bn = torch.nn.BatchNorm2d(2)
        def forward(self, x): return self.bn(self.conv(x))
    net = Net()
    net.load_state_dict(state(), strict=False)
    torch.save(net.state_dict(), path("state.pth"))
    torch.save(net.state_dict(), path("protocol5.pth"), pickle_protocol=5)
    torch.save({"epoch": 3, "state_dict": state(), "best": 0.25, "name": "net", "optimizer": {"state": {0: {"m": torch.ones(2)}}}},
               path("checkpoint.pth"))
    torch.save({"model": {"model_state_dict": state()}, "step": 1 << 70, "sizes": torch.Size([1, 2]), "done": (True, None)},
               path("nested.pth"))
    torch.save({"encoder": {"weight": torch.ones(2)}, "layers": [torch.zeros(1), {"bias": torch.ones(1)}], "steps": 3}, path("parts.pth"))
    torch.save({"model": state(), "state_dict": state()}, path("ambiguous.pth"))
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    torch.save({"base": base, "transposed": base.t(), "row": base[2], "columns": base[:, 1::2], "element": base[3, 5],
                "empty": base[:0], "parameter": torch.nn.Parameter(base[0])}, path("views.pth"))
    kinds = ("float64 float16 bfloat16 int64 int32 int16 int8 uint8 uint16 uint32 uint64 complex64 complex128 "
             "float8_e4m3fn float8_e5m2").split()
    torch.save({kind: torch.arange(6).to(getattr(torch, kind)).reshape(2, 3) for kind in kinds} | {"bool": torch.tensor([True, False])},
               path("types.pth"))
    torch.save(state(), path("legacy.pth"), _use_new_zipfile_serialization=False)
    torch.save({"a": torch.arange(3, dtype=torch.float32)}, path("small.pth"))
    torch.jit.save(torch.jit.trace(net.eval(), torch.ones(1, 3, 4, 4)), path("script.pt"))
    torch.save(torch.ones(2), path("tensor.pth"))
    torch.save({"epoch": 3}, path("empty.pth"))
    torch.save({"sparse": torch.eye(3).to_sparse()}, path("sparse.pth"))
    torch.save({"best": np.float64(0.5), "state_dict": state()}, path("numpyScalar.pth"))
    torch.save({"expanded": torch.ones(1).expand(1 << 30)}, path("expanded.pth"))

    with zipfile.ZipFile(path("small.pth")) as source, zipfile.ZipFile(path("bigEndian.pth"), "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("byteorder"): content = b"big"
            if name.endswith("data/0"): content = np.arange(3, dtype=">f4").tobytes()
            target.writestr(zipfile.ZipInfo(name), content)


class Run:
    def __init__(self, function, arguments): self.function, self.arguments = function, arguments
    def __reduce__(self): return self.function, self.arguments


def pickled(content, name, storages={"0": bytes(16)}):
    """A file in PyTorch's layout around a pickle made by hand."""
    with zipfile.ZipFile(path(name), "w", zipfile.ZIP_DEFLATED) as archive:
        entries = {"data.pkl": content, "version": "3\n"} | {f"data/{key}": data for key, data in storages.items()}
        for entry, data in entries.items(): archive.writestr(zipfile.ZipInfo("archive/" + entry), data, zipfile.ZIP_DEFLATED)


def text(value): return b"X" + struct.pack("<I", len(value)) + value.encode()
def integer(value): return b"\x8a\x08" + struct.pack("<q", value)
def numbers(values): return b"(" + b"".join(map(integer, values)) + b"t"
def storage(count, key="0", kind="FloatStorage"):
    return b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key) + text("cpu") + integer(count) + b"tQ"
def tensor(offset, shape, strides, count=4, **options):
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(count, **options) + integer(offset) + numbers(shape)
            + numbers(strides) + b"\x89ccollections\nOrderedDict\n)RtR")
def dictionary(items): return b"\x80\x02}(" + b"".join(text(name) + value for name, value in items) + b"u."


def hostile_files():
    pickled(pickle.dumps(Run(os.system, ("touch a-command-was-run",)), 2), "command.pth")
    pickled(pickle.dumps({"a": Run(eval, ("1+1",))}, 4), "eval.pth")
    pickled(pickle.dumps(Run(getattr, (dict, "get")), 2), "getattr.pth")
    pickled(b"\x80\x02ctorch.hub\nload\n(" + text("x/y") + text("z") + b"tR.", "hub.pth")
    pickled(b"\x80\x02cbuiltins\nobject\n)\x81.", "newobject.pth")
    pickled(b"\x80\x02\x82\x01.", "extension.pth")
    pickled(b"(I1\nI2\nd.", "protocol0.pth")
    pickled(b"\x80\x02" + b"(" * 60000 + b".", "deepMarks.pth")
    pickled(b"\x80\x02" + b"]" * 60000 + b"a" * 59999 + b".", "deepLists.pth")
    pickled(b"\x80\x02" + b"}" + b"".join(b"q\x00" + text("a") + b"}" for _ in range(9000)) + b"s" * 9000 + b".", "deep.pth")
    # Each dictionary holds the one before it ten times: 10^40 values when walked through.
    laughs = b"\x80\x02}q\x00"
    for level in range(40):
        laughs += b"}q" + bytes([level + 1]) + b"(" + b"".join(text(str(i)) + b"h" + bytes([level]) for i in range(10)) + b"u"
    pickled(laughs + b".", "laughs.pth")
    pickled(b"\x80\x02}q\x00(" + text("self") + b"h\x00u.", "cycle.pth")
    pickled(b"\x80\x02]q\x00(" + b"h\x00" * 1000 + b"e.", "selfList.pth")
    pickled(b"\x80\x02" + b"N2" * 100000 + b".", "stack.pth")
    pickled(b"\x80\x02N" + b"".join(b"r" + struct.pack("<I", i) for i in range(50000)) + b".", "memo.pth")
    pickled(b"\x80\x02X\xff\xff\xff\xff.", "longText.pth")
    pickled(b"\x80\x04\x8d" + b"\xff" * 8 + b".", "longText8.pth")
    pickled(b"\x80\x02R.", "underflow.pth")
    pickled(b"\x80\x02(R.", "marked.pth")
    pickled(b"\x80\x02h\x07.", "emptyMemo.pth")
    huge = 1 << 40
    pickled(dictionary([("a", tensor(0, [huge], [1]))]), "hugeShape.pth")
    pickled(dictionary([("a", tensor(0, [huge, huge], [1, 1]))]), "overflowingShape.pth")
    pickled(dictionary([("a", tensor(0, [4], [1], count=huge))]), "hugeStorage.pth")
    pickled(dictionary([("a", tensor(0, [1 << 30], [0]))]), "repeated.pth")
    pickled(dictionary([("a", tensor(3, [2], [1]))]), "outside.pth")
    pickled(dictionary([("a", tensor(-1, [1], [1]))]), "before.pth")
    pickled(dictionary([("a", tensor(3, [4], [-1]))]), "backwards.pth")
    pickled(dictionary([("a", tensor(0, [2], [1 << 62]))]), "hugeStride.pth")
    pickled(dictionary([("a", tensor(0, [4], [1], key="../../../etc/passwd"))]), "traversal.pth")
    pickled(dictionary([("a", tensor(0, [4], [1], kind="QInt8Storage"))]), "quantised.pth")
    pickled(dictionary([("a", tensor(0, [1] * 1000, [1] * 1000))]), "manyDimensions.pth")
    # 20 000 transposed views of one storage of 40 000 bytes: 800 MB when each is copied.
    view = tensor(0, [100, 100], [1, 100], count=10000)
    pickled(dictionary([(str(i), view) for i in range(2000)]), "manyViews.pth", {"0": b"\0" * 40000})


numpy_files(); safetensors_files(); pytorch_files(); hostile_files()
for name in sorted(os.listdir(out)):
    assert os.path.getsize(path(name)) < 300_000, name
