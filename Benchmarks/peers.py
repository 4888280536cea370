"""Times this runtime and others on the same graphs, run by run in turn: `python peers.py GRAPHS RUNNER --out FOLDER`.

Every engine holds the graph in a process of its own, on `--threads` threads, in binary32. In each round every engine runs
once, in an order that changes: what disturbs the machine disturbs all alike. Reported are medians, and of each engine's
process the highest memory (the others' with the 26 MB of Python and NumPy) and the time from opening the graph, in the
engine's own format where it has one, to the first result. Writes results.json, results.md and results.svg.
"""
import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

ENGINES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "mnn": "MNN", "ncnn": "ncnn"}
MODULES = {"onnxruntime": "onnxruntime", "openvino": "openvino", "mnn": "MNN", "ncnn": "ncnn"}
OURS = "Tamperscope"


def feed(path):
    """Inputs by name, as they lie beside the graph."""
    import numpy

    with numpy.load(Path(path).with_suffix(".npz")) as file:
        return dict(file)


def convert_mnn(path):
    """The graph in the engine's own format, made once."""
    converted = f"{path}.mnn"
    if not os.path.exists(converted):
        subprocess.run(["mnnconvert", "-f", "ONNX", "--modelFile", path, "--MNNModel", converted, "--bizCode", "x"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return converted


def convert_ncnn(path):
    # The converter writes a dozen files, and `_` for every `-` in their names.
    folder = Path(path).with_suffix(".ncnn")
    written = list(folder.glob("*.ncnn.param"))
    if not written:
        folder.mkdir(exist_ok=True)
        graph = folder / Path(path).name
        graph.unlink(missing_ok=True)
        graph.symlink_to(Path(path).resolve())
        subprocess.run(["pnnx", graph.name, "fp16=0"], check=True, cwd=folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        written = list(folder.glob("*.ncnn.param"))
    return str(written[0])


CONVERTERS = {"mnn": convert_mnn, "ncnn": convert_ncnn}


def open_onnxruntime(onnxruntime, path, inputs, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)


def open_openvino(openvino, path, inputs, threads):
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
    return lambda: request.infer(inputs)


def open_mnn(mnn, path, inputs, threads):
    interpreter = mnn.Interpreter(path)
    session = interpreter.createSession({"backend": "CPU", "numThread": threads, "precision": "high"})
    for name, value in inputs.items():
        tensor = interpreter.getSessionInput(session, name)
        tensor.copyFrom(mnn.Tensor(value.shape, mnn.Halide_Type_Float, value, mnn.Tensor_DimensionType_Caffe))

    def run():
        interpreter.runSession(session)
        return interpreter.getSessionOutput(session).getNumpyData()

    return run


def open_ncnn(ncnn, path, inputs, threads):
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    if net.load_param(path) or net.load_model(str(Path(path).with_suffix(".bin"))):
        raise RuntimeError("ncnn does not read what pnnx wrote")
    mats = {name: ncnn.Mat(value[0]).clone() for name, value in zip(net.input_names(), inputs.values())}

    def run():
        extractor = net.create_extractor()
        for name, mat in mats.items():
            extractor.input(name, mat)
        status, result = extractor.extract(net.output_names()[0])
        if status:
            raise RuntimeError(f"ncnn ends with {status}")
        return result

    return run


def serve(engine, path, threads):
    """A process of one engine: a line of JSON when ready, then one for each line that it is sent."""
    inputs = feed(path)
    path = CONVERTERS.get(engine, str)(path)
    module = importlib.import_module(MODULES[engine])
    start = time.perf_counter()
    run = globals()[f"open_{engine}"](module, path, inputs, threads)
    run()
    print(json.dumps({"first": time.perf_counter() - start}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "peak": peak_megabytes()}), flush=True)


def peak_megabytes():
    """Not from getrusage, whose figure starts at that of the process that started this one."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


class Worker:
    """The other end of a process that holds a graph."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.first = self.line()["first"]
        self.seconds, self.peak = [], 0.0

    def line(self):
        for text in self.process.stdout:
            if text.startswith("{"):
                return json.loads(text)
        raise RuntimeError(f"it ended with {self.process.wait()}")

    def run(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        answer = self.line()
        self.seconds.append(answer["seconds"])
        self.peak = answer["peak"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def median(values):
    return sorted(values)[len(values) // 2]


def measure(path, runner, threads, runs, names):
    """Rows of all engines that take the graph."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    commands = {OURS: [runner, "--serve", "--threads", str(threads), path]}
    for engine in names:
        commands[ENGINES[engine]] = [
            sys.executable, __file__, path, "--engine", engine, "--threads", str(threads)]
    workers = {}
    for name, command in commands.items():
        try:
            workers[name] = Worker(command, environment)
        except RuntimeError as error:
            print(f"{Path(path).stem}: {name} left out: {error}", file=sys.stderr)
    order = list(workers)
    for round in range(runs + 1):
        for name in order[round % len(order):] + order[:round % len(order)]:
            # Threads of some engines spin for a while after a run.
            time.sleep(0.3)
            workers[name].run()
    for worker in workers.values():
        worker.close()
    # The first round warms up.
    return {name: {"milliseconds": median(worker.seconds[1:]) * 1e3, "megabytes": worker.peak,
                   "firstResultSeconds": worker.first} for name, worker in workers.items()}


def others(rows, key):
    """The best of the other engines, if any takes the graph."""
    return min((row[key] for name, row in rows.items() if name != OURS), default=float("nan"))


def table(results):
    """Times with peak memory, and the times from opening a graph to the first result."""
    engines = [OURS, *ENGINES.values()]

    def lines(title, cell, *ratios):
        yield f"| {title} | " + " | ".join(engines) + " | " + " | ".join(name for name, _ in ratios) + " |"
        yield "|---|" + "---|" * (len(engines) + len(ratios))
        for graph, rows in results.items():
            cells = [cell(rows[engine]) if engine in rows else "–" for engine in engines]
            cells += [f"{rows[OURS][key] / others(rows, key):.2f}" for _, key in ratios]
            yield f"| {graph} | " + " | ".join(cells) + " |"

    run = lines("one run", lambda row: f"{row['milliseconds']:.0f} ms, {row['megabytes']:.0f} MB",
                ("time ÷ best other", "milliseconds"), ("memory ÷ least other", "megabytes"))
    first = lines("open and first result", lambda row: f"{row['firstResultSeconds']:.2f} s",
                  ("ours ÷ best other", "firstResultSeconds"))
    return "\n".join([*run, "", *first])


def chart(results, path):
    """Bars of each engine's time over the best other's."""
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot

    engines = [OURS, *ENGINES.values()]
    figure, axes = pyplot.subplots(figsize=(9, 3.6))
    for index, engine in enumerate(engines):
        heights = []
        for rows in results.values():
            best = others(rows, "milliseconds")
            heights.append(rows[engine]["milliseconds"] / best if engine in rows else 0)
        axes.bar([place + (index - 2) * 0.16 for place in range(len(results))], heights, 0.15, label=engine)
    axes.set_xticks(range(len(results)), results, rotation=15, ha="right", fontsize=8)
    axes.set_ylabel("time ÷ best other")
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.legend(fontsize=8, ncols=5, loc="upper center", bbox_to_anchor=(0.5, 1.14), frameon=False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def versions(names):
    from importlib import metadata

    return {ENGINES[name]: metadata.version(MODULES[name]) for name in names}


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("graphs")
    parser.add_argument("runner", nargs="?")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--only", help="graphs whose name contains this")
    parser.add_argument("--out", type=Path, default=Path("."))
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        return serve(arguments.engine, arguments.graphs, arguments.threads)
    names = arguments.engines.split(",")
    results = {}
    for path in sorted(Path(arguments.graphs).glob("*.onnx")):
        if arguments.only and arguments.only not in path.stem:
            continue
        runs = 3 if "encoder" in path.stem else arguments.runs
        results[path.stem] = measure(str(path), arguments.runner, arguments.threads, runs, names)
    about = {"date": time.strftime("%Y-%m-%d"), "processor": processor(), "threads": arguments.threads,
             "versions": versions(names)}
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "results.json").write_text(json.dumps(about | {"graphs": results}, indent=1) + "\n")
    head = (f"{about['date']}, {about['processor']}, {about['threads']} threads; "
            + ", ".join(f"{name} {version}" for name, version in about["versions"].items()))
    text = f"{head}\n\n{table(results)}\n"
    (arguments.out / "results.md").write_text(text)
    chart(results, arguments.out / "results.svg")
    print(text)


if __name__ == "__main__":
    main()
