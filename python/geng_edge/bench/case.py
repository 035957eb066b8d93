"""What is measured: one combination of settings a row."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from geng_edge import _core
from geng_edge.errors import ArgumentError
from geng_edge.precision import PRECISIONS
from geng_edge.request import Request

_MOST_CASES = 1000


@dataclass(frozen=True)
class Case:
    """Settings of one row. Rows that share the first three share a loaded model."""

    isa: str
    precision: str
    threads: int
    batch: int
    length: int
    steps: int
    solver: str
    guidance: float

    @property
    def model(self) -> tuple[str, str, int]:
        """What a loaded model depends on."""
        return self.isa, self.precision, self.threads


#: In the order of a row's first columns.
SETTINGS = tuple(field.name for field in fields(Case))


def cross(*, distilled: bool = False, **choices: Sequence[object]) -> list[Case]:
    """Every combination, the last setting running fastest.

    Args:
        distilled: Whether the model has a student: what a solver or a guidance of None becomes, as
            :meth:`geng_edge.request.Request.settled` has it for ``sample``.
        choices: A list for every field of :class:`Case`; kernel sets by name, ``""`` for the active one,
            ``all`` for every one that runs here.

    Raises:
        ArgumentError: A setting is out of range, or there are over 1000 combinations.
    """
    choices["isa"] = _kernel_sets([str(name) for name in choices["isa"]])
    lists = [list(dict.fromkeys(choices[name])) for name in SETTINGS]
    rows = math.prod(map(len, lists))
    if rows > _MOST_CASES:
        raise ArgumentError(f"bench is {rows} rows; it must be at most {_MOST_CASES}")
    cases = [_settled(distilled, *values) for values in itertools.product(*lists)]
    for case in cases:
        if case.precision not in PRECISIONS:
            raise ArgumentError(
                f"precision is {case.precision!r}; it must be {' or '.join(PRECISIONS)}"
            )
        if not 1 <= case.threads <= 256:
            raise ArgumentError(f"threads is {case.threads}; it must be 1 to 256")
    return cases


def _settled(distilled: bool, isa: Any, precision: Any, threads: Any, *settings: Any) -> Case:
    """A case of a request that is checked and settled."""
    request = Request(*settings).settled(distilled)
    return Case(
        isa, precision, threads, request.count, request.length, request.steps, str(request.solver),
        float(request.guidance or 0.0),
    )  # fmt: skip


def _kernel_sets(names: Sequence[str]) -> list[str]:
    sets = _core.kernel_sets()
    here = [str(entry["name"]) for entry in sets if entry["available"]]
    active = next(str(entry["name"]) for entry in sets if entry["active"])
    chosen: list[str] = []
    for name in names:
        if name == "all":
            chosen += here
        elif name and name not in here:
            raise ArgumentError(
                f"isa is {name!r}; it must be all, or one that runs here: {', '.join(here)}",
                name="isa",
                value=name,
            )
        else:
            chosen.append(name or active)
    return chosen
