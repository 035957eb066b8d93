"""Measure a backend on a set: answers to all of its tasks, judged by the rubric."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from geng_cog.agreement import agreed
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
    found = _figures(_answers(backend, tasks, seed, temperature), tasks)
    return {**found, "seconds": round(time.monotonic() - started, 1)}


def measure_alike(backends: Sequence[Backend], tasks: Sequence[Task]) -> dict[str, Any]:
    """The mean of what alike trainings have, as :func:`measure` tells it of one, and what they agree on.

    Args:
        backends: One or more; each answers on its own.
        tasks: What is asked, with references.

    Returns:
        As :func:`measure`, but ``right`` is the mean; ``each``, what each has right of all claims; and
        ``agreed``, the shares of what they agree on (a deep ensemble, Lakshminarayanan et al. 2017).
    """
    answers = [_answers(backend, tasks, 0, 0.0) for backend in backends]
    alone = [_figures(statements, tasks) for statements in answers]
    parsed = [[s for s in row if s is not None] for row in zip(*answers, strict=True)]
    together = _figures([agreed(row)[1] if row else None for row in parsed], tasks)
    return {
        **together,
        "parsed": min(one["parsed"] for one in alone),
        "possible": min(one["possible"] for one in alone),
        "right": {
            name: round(sum(one["right"][name] for one in alone) / len(alone), 4)
            for name in together["right"]
        },
        "each": [one["right"]["all"] for one in alone],
        "agreed": together["right"],
    }


def _answers(
    backend: Backend, tasks: Sequence[Task], seed: int, temperature: float
) -> list[Statement | None]:
    texts = [task.text for task in tasks]
    written = backend.write(texts, [read_stated(t) for t in texts], seed, temperature)
    return [_parsed(w.text) for w in written]


def _figures(statements: Sequence[Statement | None], tasks: Sequence[Task]) -> dict[str, Any]:
    judged = [judge(s, task) for s, task in zip(statements, tasks, strict=True)]
    parsed = [s for s in statements if s is not None]
    return {
        "tasks": len(tasks),
        "parsed": len(parsed) / len(tasks),
        "possible": sum(not faults(s) for s in parsed) / len(tasks),
        "claims": sum(len(entry[name]) for entry in judged for name in COUNTED),
        "right": {name: round(value, 4) for name, value in share(judged).items()},
    }


def _parsed(text: str) -> Statement | None:
    try:
        return parse(text)
    except ArgumentError:
        return None
