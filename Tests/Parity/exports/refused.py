"""Adds the row of a model that its exporter refused: refused.py NAME EXPORTER LOG RESULTS"""
import json
import re
import sys

LONGEST = 100


def main(name, exporter, log, results):
    with open(log, errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    # The error is the last line that starts with its type; what follows are its details.
    errors = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception"))]
    # torch.export ends with a summary that names the cause: <class 'module.Name'>: message
    errors += [re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", line) for line in lines if line.startswith("<class '")]
    note = (errors or lines or ["no message"])[-1].replace("|", "/")
    note = note if len(note) <= LONGEST else note[:LONGEST] + " …"
    row = dict(name=name, exporter=exporter, opset=None, nodes=None, error=None, status="not exported", note=note)
    with open(results, "a") as file:
        file.write(json.dumps(row) + "\n")
    print(f"{name} {exporter}: not exported: {note}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
