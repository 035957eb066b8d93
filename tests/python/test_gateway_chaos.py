"""The chaos program at a tenth of its size: what it looks for must hold here too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support import broker as brokers
from support.gateways import MODEL

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "gateway_chaos.py"


@pytest.mark.skipif(bool(brokers.missing()), reason=brokers.missing())
def test_killed_brokers_and_gateways_lose_nothing_and_answer_nothing_twice(tmp_path: Path) -> None:
    out = tmp_path / "chaos.json"
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--requests", "100", "--broker-kills", "4",
         "--gateway-kills", "3", "--model", str(MODEL), "--out", str(out)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(out.read_text())
    assert found["in_ledger"] == found["delivered"] == found["received_right"] == 100
    assert found["lost"] == 0
    assert found["delivered_in_order"]
