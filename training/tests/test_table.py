"""The table of the paper's form, from what `pipeline eval` writes."""

import json
from pathlib import Path

import pytest

from training.table import main


def row(identifier: str, value: float, scoring: str = "default") -> dict:
    figure = {"value": value, "interval": {"low": value - 0.1, "high": value + 0.1}}
    return {"row": {"id": identifier}, "scoring": scoring, "mean": {key: figure for key in ("auc", "f1", "bestF1")}}


def test_each_segmenter_has_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row("classifier", 0.5), row("sam.evidence", 0.6), row("sam.gate", 0.7), row("classifier", 0.9, "paper"),
            row("student", 0.4)]
    (tmp_path / "summary.json").write_text(json.dumps({"rows": rows}))
    main(["--refine", "gate", f"WCBnet 2={tmp_path}"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == [
        "| WCBnet 2 | map alone | .500 [.400, .600] | .500 [.400, .600] | .500 [.400, .600] |",
        "| WCBnet 2 | + sam | .700 [.600, .800] | .700 [.600, .800] | .700 [.600, .800] |",
        "| WCBnet 2 | student alone | .400 [.300, .500] | .400 [.300, .500] | .400 [.300, .500] |",
    ]
