"""The command line as a test calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from geng_edge.cli.main import main

TEXT = "values from -5 to 5, a period of 64 steps"


def run(*arguments: object) -> int:
    return main([str(a) for a in arguments])


def spawn(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "geng_edge", *command],
        **{"stdout": subprocess.PIPE, **options},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence on stderr."""
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("geng-edge: ")]
    assert out == ""
    assert "Traceback" not in err
    assert len(lines) == 1, err
    return lines[0]


def sample(tiny: Path, *arguments: object) -> int:
    return run("sample", "--model", tiny, *arguments)
