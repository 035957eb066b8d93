"""What a profile holds: facts, each with how it is known and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fact:
    """One field of a profile.

    Attributes:
        value: Text, a number, or a list of either; None where there is none.
        how: ``measured``, ``derived`` or ``assumed``.
        source: Who measured it, or the rule it is derived by.
        cores: Of a cache: how many cores share it.
    """

    value: Any
    how: str
    source: str
    cores: int | None = None


@dataclass(frozen=True)
class Profile:
    """A board in one mode. Units are those of ``firmware_profiles/README.md``.

    Attributes:
        id: What ``--profile`` takes.
        name: The board's name.
        mode: Its power and clock mode.
        board: What is known of it.
        sample: Settings that ``sample --profile`` takes.
    """

    id: str
    name: str
    mode: str
    board: Mapping[str, Fact]
    sample: Mapping[str, Fact]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Profile:
        """The profile of checked data."""
        board, sample = (
            {
                name: Fact(fact.get("value"), fact["how"], fact["source"], fact.get("cores"))
                for name, fact in data[part].items()
            }
            for part in ("board", "sample")
        )
        return cls(data["id"], data["name"], data["mode"], board, sample)

    @property
    def threads(self) -> int:
        """Threads to sample with."""
        return int(self.sample["threads"].value)

    @property
    def precision(self) -> str:
        """``int8`` or ``fp32``."""
        return str(self.sample["precision"].value)

    @property
    def steps(self) -> int:
        """Denoising steps."""
        return int(self.sample["steps"].value)

    @property
    def memory_mb(self) -> int:
        """MiB that one request may take, this process included."""
        return int(self.sample["memory_mb"].value)
