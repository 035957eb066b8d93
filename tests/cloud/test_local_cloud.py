"""Two commands on one machine: tools/cloud.py, then generate."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from geng_edge.cli.main import main
from support.broker import import_paths, missing
from support.ports import free_port

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "data" / "golden" / "tiny.gguf"


@pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")
def test_a_cloud_of_ones_own_answers_and_stops(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": import_paths(), "GENG_MODEL": str(TINY)}
    port = free_port()
    command = [sys.executable, str(ROOT / "tools" / "cloud.py"), "--port", str(port), "--http",
               str(free_port(row=2)), "--folder", str(tmp_path / "cloud"), "--", "--answering",
               "support.road:Double"]  # fmt: skip
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        end = time.monotonic() + 60
        while "ready:" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        out_file = tmp_path / "week.csv"
        assert main(["generate", "a family home, one week", "--model", str(TINY), "-n", "2",
                     "--broker", f"mqtt://127.0.0.1:{port}", "--out", str(out_file)]) == 0  # fmt: skip
        assert len(out_file.read_text().splitlines()) == 1009
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    assert "stopped" in log.read_text()
