"""Prints the results as a table: table.py RESULTS. A model's last row counts; 1 where one failed."""
import json
import sys

from catalogue import rows


def main(path):
    with open(path) as file:
        latest = {(row["name"], row["exporter"]): row for row in map(json.loads, file)}
    print("| model | exporter | first input | opset | nodes | error | status |\n|---|---|---|---|---|---|---|")
    for key in rows():
        if key not in latest:
            continue
        row = latest[key]
        error = "" if row["error"] is None else f"{row['error']:.1e}"
        status = row["status"] + (f": {row['note']}" if row["note"] else "")
        shape, opset, nodes = (str(row.get(column) or "") for column in ("input", "opset", "nodes"))
        print("| " + " | ".join([*key, shape, opset, nodes, error, status]) + " |")
    return any(row["status"] == "failed" for row in latest.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
