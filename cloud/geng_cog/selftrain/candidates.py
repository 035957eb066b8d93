"""Candidates: what the stages hand on, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from geng_edge import files
from geng_edge.errors import ArgumentError


@dataclass(frozen=True)
class Candidate:
    """A pair that the model made of a document.

    Attributes:
        document: Its id.
        named: The quantity as the task calls it.
        device: The device or place, in words of the document.
        task, text: The task, and the statement that answers it: the first draft, after ``score`` what
            the drafts agree on.
        asked: What the task asks for beside its subject; see :class:`geng_cog.seeds.Asked`.
        round: The curation round that made it.
        drafts: Every writing of the answer, by the last model that was asked.
        support: Share of the drafts that pass the cheap checks and say the same; None before ``score``.
        grade: Expected grade, 1 to 5; None before ``score``.
        checks: By name, 0 to 1; empty before ``score``.
    """

    document: str
    named: str
    device: str
    task: str
    asked: str
    text: str
    round: int
    drafts: tuple[str, ...] = ()
    support: float | None = None
    grade: float | None = None
    checks: tuple[tuple[str, float], ...] = ()

    @property
    def merit(self) -> float:
        """What ``select`` sorts by: the grade, weighed with the support."""
        return (self.grade or 0.0) * (1.0 if self.support is None else self.support)

    @property
    def passed(self) -> bool:
        """Whether every check is kept in full, the bridge's in four fifths."""
        return bool(self.checks) and all(
            value >= (0.8 if name == "bridge" else 1.0) for name, value in self.checks
        )


def write_candidates(path: Path, candidates: Iterable[Candidate]) -> None:
    """Write a file of candidates, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    with files.whole(path) as file:
        for c in candidates:
            file.write((json.dumps(asdict(c), ensure_ascii=False) + "\n").encode())


def read_candidates(path: Path) -> list[Candidate]:
    """Read a file of candidates.

    Raises:
        ArgumentError: It is missing, or a line is no candidate.
    """
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ArgumentError(f"{path}: {error.strerror}; it must be a file of candidates") from error
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            entry["drafts"] = tuple(map(str, entry.get("drafts", ())))
            entry["checks"] = tuple((str(k), float(v)) for k, v in entry["checks"])
            found.append(Candidate(**entry))
        except (ValueError, KeyError, TypeError) as error:  # noqa: PERF203  names the line
            raise ArgumentError(f"{path}: line {number} is no candidate") from error
    return found
