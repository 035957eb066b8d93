"""Devices of three channels: each channel's claims beside the same text alone, and correlations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge.channels import Device, generate
from geng_edge.claims import Claims
from geng_edge.condition import Condition
from geng_export.evaluate.conformity import COLUMNS, RATES, Judged, judge_all, report
from geng_export.evaluate.drawing import unheard
from geng_export.evaluate.processes import PROCESSES

if TYPE_CHECKING:
    from geng_edge.generator import Generator

#: Seconds a step of every device.
INTERVAL = 1800.0
#: Within this of the asked correlation counts as met.
NEAR = 0.1


@dataclass(frozen=True)
class Channel:
    """A channel whose limits are drawn: text with ``{low}`` and ``{high}``, and what it states."""

    name: str
    text: str
    low: tuple[float, float]
    span: tuple[float, float]
    period: float | None = None
    trend: str | None = None
    periodic: bool | None = None


#: Devices, and the correlations that such devices show, within which one is drawn: (least, most).
KINDS: tuple[tuple[tuple[Channel, ...], dict[tuple[int, int], tuple[float, float]]], ...] = (
    (
        (
            Channel("temperature", "a daily cycle, values from {low} to {high} degC, no trend, "
                    "no anomaly", (5, 15), (8, 20), 48.0, "none"),
            Channel("humidity", "a daily cycle, values from {low} to {high} %, no trend, no anomaly",
                    (20, 40), (30, 50), 48.0, "none"),
            Channel("dew point", "a daily cycle, values from {low} to {high} degC, no trend, "
                    "no anomaly", (-5, 5), (5, 12), 48.0, "none"),
        ),
        {(0, 1): (-0.9, -0.5), (0, 2): (0.2, 0.7), (1, 2): (-0.5, -0.1)},
    ),
    (
        tuple(
            Channel(f"l{k}", "a period of 24 steps, values from {low} to {high} A, no trend, "
                    "no anomaly", (2, 6), (6, 20), 24.0, "none")
            for k in (1, 2, 3)
        ),
        {(0, 1): (0.6, 0.95), (0, 2): (0.6, 0.95), (1, 2): (0.6, 0.9)},
    ),
    (
        (
            Channel("flow", "values from {low} to {high} l/min, no periodicity, no trend, no anomaly",
                    (2, 8), (5, 20), None, "none", False),
            Channel("pressure", "values from {low} to {high} bar, no periodicity, no trend, "
                    "no anomaly", (1, 3), (1, 4), None, "none", False),
            Channel("valve", "values from {low} to {high} %, no periodicity, no trend, no anomaly",
                    (0, 20), (40, 80), None, "none", False),
        ),
        {(0, 1): (-0.8, -0.3), (0, 2): (0.3, 0.8), (1, 2): (-0.5, 0.0)},
    ),
    (
        (
            Channel("inlet", "rising trend, values from {low} to {high} degC, no anomaly",
                    (15, 25), (10, 30), None, "up"),
            Channel("outlet", "rising trend, values from {low} to {high} degC, no anomaly",
                    (20, 35), (10, 30), None, "up"),
            Channel("margin", "falling trend, values from {low} to {high} K, no anomaly",
                    (2, 6), (4, 12), None, "down"),
        ),
        {(0, 1): (0.75, 0.95), (0, 2): (-0.95, -0.75), (1, 2): (-0.95, -0.75)},
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Devices:
    """Conformity of channels generated together and alone, in per cent; and how far pairs are off."""

    rows: dict[str, dict[str, float]]
    correlation: dict[str, float]
    facts: dict[str, object]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**self.facts, "rows": self.rows, "correlation": self.correlation}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Devices:
        """What :meth:`to_dict` gave."""
        facts = {k: v for k, v in found.items() if k not in ("rows", "correlation")}
        return cls(found["rows"], found["correlation"], facts)

    def to_markdown(self) -> str:
        """Conformity, then correlations."""
        columns = [c for c in COLUMNS if c in self.rows["together"]]
        titles = [f"{c} %" if c in RATES else f"{c} error %" for c in columns]
        lines = ["| channels | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * len(columns)]
        for name, row in self.rows.items():
            cells = [f"{row[c]:.1f}" for c in columns]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        c = self.correlation
        said = (
            f"Of {c['pairs']:.0f} pairs {100 * c['near']:.1f} % are within {NEAR} of the asked "
            f"correlation; they are off by {c['median']:.3f} in the median and {c['worst']:.2f} at "
            "worst."
        )
        lines += ["", said]
        return "\n".join(lines)


def measure(
    generator: Generator,
    *,
    count: int = 40,
    seed: int = 0,
    processes: int = PROCESSES,
    say: Callable[[str], object] = unheard,
) -> Devices:
    """Draw ``count`` devices of each kind, together and channel by channel, and judge both.

    Cost: a second a device.
    """
    asked: list[Claims] = []
    together, alone, off = [], [], []
    for kind, (channels, bounds) in enumerate(KINDS):
        for i in range(count):
            rng = np.random.default_rng((8_000_008, seed, kind, i))
            device, claims = _drawn(channels, bounds, rng)
            joint = generate(generator, device, 1, interval=INTERVAL, seed=seed + i)
            pairs = np.triu_indices(len(channels), 1)
            off += np.abs(joint.reached[0] - joint.asked)[pairs].tolist()
            asked += claims
            together += [x[None] for x in joint.series.values]
            for k, text in enumerate(device.texts.values()):
                condition = Condition.from_text(text, INTERVAL, generator)
                one = generator.generate(condition, 1, interval=INTERVAL, seed=1000 * k + seed + i)
                alone.append(one.values)
        say(f"drew {count} devices of kind {kind + 1}")
    rows = {}
    for name, drawn in (("together", together), ("alone", alone)):
        judged: list[Judged] = judge_all(drawn, asked, [4] * len(asked), processes)
        rows[name] = report(judged, {}).raw[0]
    correlation = {
        "pairs": float(len(off)),
        "near": float(np.mean(np.array(off) <= NEAR)),
        "median": float(np.median(off)),
        "worst": float(np.max(off)),
    }
    return Devices(rows, correlation, {"devices": count * len(KINDS), "seed": seed})


def _drawn(
    channels: tuple[Channel, ...],
    bounds: dict[tuple[int, int], tuple[float, float]],
    rng: np.random.Generator,
) -> tuple[Device, list[Claims]]:
    """A device with limits and correlations drawn; correlations that no series can have are not."""
    texts, claims = {}, []
    for channel in channels:
        low = round(float(rng.uniform(*channel.low)), 1)
        high = round(low + float(rng.uniform(*channel.span)), 1)
        texts[channel.name] = channel.text.format(low=low, high=high)
        claims.append(
            Claims(
                trend=channel.trend,
                periodic=True if channel.period else channel.periodic,
                periods=(channel.period,) if channel.period else (),
                low=low,
                high=high,
                events=(),
                interval=INTERVAL,
            )
        )
    names = list(texts)
    while True:
        pairs = {
            (names[i], names[j]): round(float(rng.uniform(*bound)), 2)
            for (i, j), bound in bounds.items()
        }
        device = Device(texts, pairs)
        matrix = np.eye(len(names))
        for (i, j), pair in zip(bounds, pairs.values(), strict=True):
            matrix[i, j] = matrix[j, i] = pair
        if np.linalg.eigvalsh(matrix)[0] > 0.0:
            return device, claims
