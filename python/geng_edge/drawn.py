"""Drawing what an answer speaks of: its channels, over its span, in its units.

Periods of an answer are in seconds and its conditions were made at its interval, so they are right in
steps for any length. Up to 4096 steps one latent is read over all of them; longer spans are chained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geng_edge.condition import Condition
from geng_edge.errors import ArgumentError
from geng_edge.request import LONGEST, LONGEST_CHAIN, MAX_SEED, drawn_length
from geng_edge.series import DEFAULT_START, Series, moments_of

if TYPE_CHECKING:
    from geng_edge.generator import Generator, Progress
    from geng_edge.wire.condition import Accepted


@dataclass(frozen=True, eq=False)
class Part:
    """One channel to draw.

    Attributes:
        name: Of the channel.
        description: Its text.
        unit: Of its values; may be empty.
        condition: Z_x of the text.
    """

    name: str
    description: str
    unit: str
    condition: Condition

    def label(self, row: int) -> str:
        """The name of a column: ``temperature_0 [degC]``."""
        return f"{self.name}_{row}" + (f" [{self.unit}]" if self.unit else "")


@dataclass(frozen=True, eq=False)
class Plan:
    """What to draw.

    Attributes:
        parts: The channels, one or more.
        interval: Seconds between two steps.
        steps: Of each series, 8 and more.
    """

    parts: tuple[Part, ...]
    interval: float
    steps: int

    @classmethod
    def of(cls, reply: Accepted) -> Plan:
        """What an accepted answer speaks of."""
        said = reply.answer
        parts = tuple(
            Part(channel.name, channel.description, channel.claims.unit, condition)
            for channel, condition in zip(said.channels, reply.conditions, strict=True)
        )
        return cls(parts, said.interval, said.steps)

    @property
    def length(self) -> int:
        """Steps to draw; see :func:`geng_edge.request.drawn_length`."""
        return drawn_length(self.steps)


def draw(
    generator: Generator,
    plan: Plan,
    count: int = 1,
    *,
    seed: int = 0,
    start: str = DEFAULT_START,
    progress: Progress | None = None,
) -> Series:
    """Draw ``count`` rows of every channel.

    Several channels of up to 4096 steps are drawn together by :func:`geng_edge.channels.generate`, so
    that they do not correlate by chance; of longer ones each is chained by itself.

    Args:
        generator: Its f must be the one that made the conditions.
        plan: What to draw.
        count: Rows; row i uses ``seed + i``.
        seed, start: As for :meth:`geng_edge.generator.Generator.generate`.
        progress: The same; rows, where several channels are drawn together.

    Returns:
        ``(count * channels, steps)``, labelled ``<channel>_<row> [<unit>]``.

    Raises:
        ArgumentError: A setting or a condition does not fit. Nothing was computed.
        NotFiniteError: The model produced NaN or infinity.
        CancelledError: ``progress`` returned False.
    """
    if plan.length > LONGEST_CHAIN:
        raise ArgumentError(f"span is {plan.steps} steps; it must be at most {LONGEST_CHAIN}")
    moments_of(start, plan.interval, 1, plan.length - 1)
    for part in plan.parts:
        generator.check(part.condition)
    if len(plan.parts) > 1 and plan.length <= LONGEST:
        values = _together(generator, plan, count, seed, progress)
    else:
        rows = [
            generator.generate(
                part.condition,
                count,
                length=plan.length,
                seed=(seed + i * count) % (MAX_SEED + 1),
                progress=_part_of(progress, i, len(plan.parts)),
            ).values
            for i, part in enumerate(plan.parts)
        ]
        values = np.stack(rows, axis=1).reshape(count * len(plan.parts), plan.length)
    labels = tuple(part.label(i) for i in range(count) for part in plan.parts)
    units = {part.unit for part in plan.parts}
    series = Series(values, plan.interval, units.pop() if len(units) == 1 else "", start)
    return replace(series, values=np.ascontiguousarray(values[:, : plan.steps]), labels=labels)


def _part_of(progress: Progress | None, i: int, parts: int) -> Progress | None:
    """What one of several equal parts reports to."""
    if progress is None:
        return None
    return lambda done, steps: progress(i * steps + done, parts * steps)


def _together(
    generator: Generator, plan: Plan, count: int, seed: int, progress: Progress | None
) -> np.ndarray:
    from geng_edge import channels

    device = channels.Device({part.name: part.description for part in plan.parts}, {})
    joint = channels.generate(
        generator,
        device,
        count,
        length=plan.length,
        seed=seed,
        interval=plan.interval,
        conditions=[part.condition for part in plan.parts],
        progress=progress,
    )
    return joint.series.values
