"""`python -m training.table plain=DIR "WCBnet 2"=DIR …`: what `pipeline eval` found, in the form of the paper's first table.

Every DIR is a folder that `pipeline eval --seg … --out DIR` wrote. A row for each, and of each the classifier's map alone
and refined with every segmenter's regions.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FIGURES = {"auc": "AUC", "f1": "F1@.5", "bestF1": "best F1"}


def cell(figure: dict[str, Any]) -> str:
    """A figure and its interval: `.541 [.502, .578]`."""
    interval = figure.get("interval")
    shown = _short(figure["value"])
    return f"{shown} [{_short(interval['low'])}, {_short(interval['high'])}]" if interval else shown


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


def lines(name: str, summary: dict[str, Any], refinement: str) -> list[str]:
    """The rows of one classifier: alone, with each segmenter's regions, and a student's where there is one."""
    rows = {row["row"]["id"]: row for row in summary["rows"] if row["scoring"] == "default"}
    shown = {"map alone": rows.get("classifier")}
    for identifier, row in rows.items():
        segmenter, _, kind = identifier.rpartition(".")
        if kind == refinement and segmenter:
            shown[f"+ {segmenter}"] = row
    if "student" in rows:
        shown["student alone"] = rows["student"]
    return [f"| {name} | {title} | " + " | ".join(cell(row["mean"][key]) for key in FIGURES) + " |"
            for title, row in shown.items() if row]


def main(words: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.table", description=__doc__)
    parser.add_argument("results", nargs="+", metavar="NAME=DIR")
    parser.add_argument("--refine", default="evidence", help="which refinement's rows to show")
    arguments = parser.parse_args(words)
    print(f"| network | map | {' | '.join(FIGURES.values())} |\n|{'---|' * (2 + len(FIGURES))}")
    for entry in arguments.results:
        name, _, folder = entry.rpartition("=")
        print("\n".join(lines(name, json.loads((Path(folder) / "summary.json").read_text()), arguments.refine)))


if __name__ == "__main__":
    main()
