"""Prints the results as a table: table.py RESULTS. A model's last row counts; 1 where one failed."""
import json
import sys

from catalogue import rows


def main(path):
    with open(path) as file:
        latest = {(row["name"], row["exporter"]): row for row in map(json.loads, file)}
    print("| model | exporter | opset | nodes | error | status |\n|---|---|---|---|---|---|")
    for key in rows():
        if key not in latest:
            continue
        row = latest[key]
        error = "" if row["error"] is None else f"{row['error']:.1e}"
        status = row["status"] + (f": {row['note']}" if row["note"] else "")
        print("| " + " | ".join([*key, str(row["opset"] or ""), str(row["nodes"] or ""), error, status]) + " |")
    return any(row["status"] == "failed" for row in latest.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
