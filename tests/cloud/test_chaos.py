"""Killed brokers and workers: a smaller run of benchmarks/road_chaos.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import chaos
from support.broker import missing


@pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")
def test_every_request_is_answered_once_while_broker_and_workers_are_killed(tmp_path: Path) -> None:
    """W-5, C-9, C-10: nothing lost, nothing twice, order per gateway kept."""
    ledger = chaos.run(tmp_path, requests=80, broker_kills=3, worker_kills=2, deadline=60.0)
    assert ledger.exactly_once(80), (ledger.failures, ledger.answers)
    assert (ledger.broker_kills, ledger.worker_kills) == (3, 2)
