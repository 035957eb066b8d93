"""Measure a backend on a set: answers to all of its tasks, judged by the rubric."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from geng_cog.backends.protocol import Backend
from geng_cog.evaluate.rubric import COUNTED, Task, judge, share
from geng_cog.plausible import faults
from geng_cog.stated import read_stated
from geng_cog.statement import Statement, parse
from geng_edge.errors import ArgumentError


def measure(
    backend: Backend, tasks: Sequence[Task], seed: int = 0, temperature: float = 0.0
) -> dict[str, Any]:
    """Shares of right claims, of answers that parse and of answers that are possible; seconds.

    Args:
        backend: Who answers.
        tasks: What is asked, with references.
        seed, temperature: Of the writing.
    """
    started = time.monotonic()
    texts = [task.text for task in tasks]
    written = backend.write(texts, [read_stated(t) for t in texts], seed, temperature)
    statements = [_parsed(w.text) for w in written]
    judged = [judge(s, task) for s, task in zip(statements, tasks, strict=True)]
    parsed = [s for s in statements if s is not None]
    return {
        "tasks": len(tasks),
        "parsed": len(parsed) / len(tasks),
        "possible": sum(not faults(s) for s in parsed) / len(tasks),
        "claims": sum(len(entry[name]) for entry in judged for name in COUNTED),
        "right": {name: round(value, 4) for name, value in share(judged).items()},
        "seconds": round(time.monotonic() - started, 1),
    }


def _parsed(text: str) -> Statement | None:
    try:
        return parse(text)
    except ArgumentError:
        return None
