"""Topics: where each kind of message goes. All begin with ``geng/v1``."""

from __future__ import annotations

import re

from geng_edge.errors import ArgumentError

ROOT = "geng/v1"
#: Workers of one group share what is asked; each question reaches one of them.
GROUP = "geng-cog"
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_ASK = re.compile(rf"{ROOT}/edge/([^/]+)/condition/ask")


def check_id(name: str, kind: str = "gateway") -> str:
    """An id that can be a level of a topic, a user name and part of a client id.

    Raises:
        ArgumentError: It is no 1 to 63 lower-case letters, digits, hyphens and underscores.
    """
    if not _ID.fullmatch(name):
        raise ArgumentError(
            f"{kind} is {name[:80]!r}; it must be 1 to 63 lower-case letters, digits, - or _, "
            "the first a letter or digit",
            name=kind,
            value=name,
        )
    return name


def ask(gateway: str) -> str:
    """Where a gateway asks for a condition."""
    return f"{ROOT}/edge/{gateway}/condition/ask"


def answer(gateway: str) -> str:
    """Where the answer to it goes, and nowhere else."""
    return f"{ROOT}/edge/{gateway}/condition/answer"


def all_asks() -> str:
    """The shared subscription of the workers."""
    return f"$share/{GROUP}/{ask('+')}"


def asker(topic: str) -> str | None:
    """The gateway that asks on a topic; None where it is no topic of asking."""
    found = _ASK.fullmatch(topic)
    return found[1] if found and _ID.fullmatch(found[1]) else None


def cloud_status(worker: str) -> str:
    """Retained: whether a worker is there, and with which model."""
    return f"{ROOT}/cloud/{worker}/status"


def cloud_metrics(worker: str) -> str:
    """A worker's counters, every few seconds."""
    return f"{ROOT}/cloud/{worker}/metrics"
