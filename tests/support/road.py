"""Answers, conditions and a cloud that is none, for tests of the road."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from geng_edge.condition import Condition
from geng_edge.wire.answer import Anomaly, Answer, Channel, ChannelClaims
from geng_edge.wire.condition import Accepted

FINGERPRINT = "ab" * 32
DAY = 86400.0


def claims(**changes: Any) -> ChannelClaims:
    settled: dict[str, Any] = {
        "quantity": "temperature",
        "unit": "degC",
        "trend": "none",
        "periods": (DAY,),
        "low": 18.0,
        "high": 23.0,
        "mean": None,
        "noise": "low",
        "anomalies": (),
        "wave": None,
    }
    return ChannelClaims(**{**settled, **changes})


def channel(name: str = "temperature", **changes: Any) -> Channel:
    said = claims(**changes)
    text = f"A daily cycle between {said.low:g} and {said.high:g} {said.unit}, {said.noise} noise"
    return Channel(name, text, said)


def answer(task: str = "a family home for a week", **changes: Any) -> Answer:
    settled: dict[str, Any] = {
        "task": task,
        "reasoning": "People heat by day and sleep at night.",
        "sure": True,
        "span": 7 * DAY,
        "interval": 600.0,
        "channels": (channel(),),
    }
    return Answer(**{**settled, **changes})


def weather(task: str = "a garden for a week") -> Answer:
    """Two channels, one with an anomaly."""
    rain = channel("humidity", quantity="humidity", unit="%", low=40.0, high=95.0,
                   anomalies=(Anomaly("spike", 0.4, 1),))  # fmt: skip
    return answer(task, channels=(channel(), rain))


def condition(tokens: int = 12, width: int = 416, seed: int = 0) -> Condition:
    values = np.random.default_rng(seed).normal(size=(tokens, width))
    return Condition(values.astype(np.float32))


def accepted(said: Answer | None = None, transaction: str = "transaction-1") -> Accepted:
    said = said or answer()
    conditions = tuple(condition(seed=i) for i in range(len(said.channels)))
    return Accepted(transaction, said, conditions, FINGERPRINT, "worker-1")


class Double:
    """A cloud that is none: answers by the words of the task, always the same.

    Args:
        seconds: What a batch costs; ``per_task`` what each task adds.
    """

    def __init__(self, seconds: float = 0.0, per_task: float = 0.0) -> None:
        self.seconds, self.per_task = seconds, per_task
        self.batches: list[list[str]] = []

    def answer(self, tasks: Sequence[str], seed: int = 0) -> list[Answer]:
        self.batches.append(list(tasks))
        time.sleep(self.seconds + self.per_task * len(tasks))
        return [
            weather(task) if "garden" in task else answer(task, reasoning=f"seed {seed}")
            for task in tasks
        ]


def slow_double() -> Double:
    """One that is killed before it has answered."""
    return Double(seconds=30.0)


def brisk() -> Double:
    """One with the time of a small model."""
    return Double(per_task=0.02)
