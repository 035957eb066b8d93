"""What an answer follows of a task: the quantities and the limits of values that it asks for.

What can be followed binds the grammar; what an answer does not follow, whoever wrote it, it says.
"""

from __future__ import annotations

from collections.abc import Sequence

from geng_cog.knowledge import Kind, by_label, kinds
from geng_cog.limits import Limits, read_limits, read_units
from geng_cog.named import Quantity, given, labels, read_quantities
from geng_cog.statement import Statement

Keys = frozenset[str]


def followed(task: str) -> tuple[tuple[frozenset[str], ...], tuple[Limits | None, ...]]:
    """For each channel the labels of the kinds that the task leaves open, and the limits of its values.

    One empty set where the task leaves open every quantity, None where it leaves open the values.
    """
    asked = given(task)
    sets: list[Keys] = [q.fitting for q in asked] or [frozenset()]
    for _, wanted in read_units(task):
        sets = [_measured_in(keys, wanted) or keys for keys in sets]
    bound: list[Limits | None] = [None] * len(sets)
    for limits in read_limits(task):
        able = {i: _able(keys, limits) for i, keys in enumerate(sets) if bound[i] is None}
        number = _channel(limits, asked, [i for i, keys in able.items() if keys])
        if number is not None:
            bound[number] = limits
            sets[number] = _measured_in(able[number], limits.units or ()) or able[number]
    return tuple(map(labels, sets)), tuple(bound)


def _able(keys: Keys, limits: Limits) -> Keys:
    """The kinds, of all where none are named, whose values can have these limits."""
    return frozenset(k for k in keys or kinds() if limits.of(kinds()[k]) is not None)


def _measured_in(keys: Keys, units: Sequence[str]) -> Keys:
    return frozenset(k for k in keys if kinds()[k].unit in units)


def _channel(limits: Limits, asked: Sequence[Quantity], able: Sequence[int]) -> int | None:
    """The channel that limits are of: the last one named before them, else the only one able."""
    before = [i for i, q in enumerate(asked) if q.at < limits.start]
    if before and before[-1] in able:
        return before[-1]
    return able[0] if len(able) == 1 else None


def unfollowed(task: str, statement: Statement) -> list[str]:
    """What a task asks for and a statement does not give, in sentences; empty where it gives everything."""
    told = [by_label()[f"{c.quantity} [{c.unit}]"] for c in statement.channels]
    found = []
    lacking = _lacking(task, told)
    if lacking:
        found.append(f"Not given: {', '.join(lacking)}.")
    missed = [
        limits.said
        for limits in read_limits(task)
        if not any(
            limits.of(kind) == (c.low, c.high)
            for kind, c in zip(told, statement.channels, strict=True)
        )
    ]
    missed += [
        f"values in {said}"
        for said, wanted in read_units(task)
        if not any(kind.unit in wanted for kind in told)
    ]
    if missed:
        found.append(f"Not followed: {', '.join(missed)}; {_measured(told)}.")
    return found


def _lacking(task: str, told: Sequence[Kind]) -> list[str]:
    """The quantities that a task asks for and that no channel is of, in its words."""
    left, found = [kind.key for kind in told], []
    for q in read_quantities(task):
        key = next((key for key in left if key in q.known), None)
        if key is None:
            found.append(" ".join(q.said.split()))
        else:
            left.remove(key)
    return found


def _measured(told: Sequence[Kind]) -> str:
    """What can be given of each channel."""
    return ", ".join(f"{k.name} is given in {k.unit}, {k.floor:g} to {k.ceiling:g}" for k in told)
