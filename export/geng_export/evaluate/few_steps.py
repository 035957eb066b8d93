"""What fewer evaluations cost: the student beside the teacher, in obedience and in Frechet distance.

Obedience is Table II's, on development descriptions. The Frechet distance is between the features of
series drawn once for each of many other development descriptions and of the series composed with
them, so both sides have the same captions. Two such sets of composed series stand beside; theirs
differ.
The feature extractor (:mod:`geng_export.evaluate.metrics.extractor`) is trained on composed series to tell
their trend, cycle and anomaly apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from geng_export.data.compose import compose
from geng_export.data.dataset import Pair, development_descriptions
from geng_export.data.scenarios import SCENARIOS
from geng_export.evaluate.conformity import COLUMNS, judge_all, report
from geng_export.evaluate.drawing import Way, draw, unheard
from geng_export.evaluate.metrics.extractor import Extractor, features_of, train_extractor
from geng_export.evaluate.metrics.frechet import frechet_distance
from geng_export.models.layout import Layout

if TYPE_CHECKING:
    from geng_edge.generator import Generator

FloatArray = npt.NDArray[np.float64]

STUDENT = tuple(Way("consistency", steps, 0.0) for steps in (4, 2, 1))
#: Seeds of the sets, none of them a conformity set's.
_PAIRED, _FLOOR, _EXTRACTOR = 101, 102, 103
EXTRACTOR_WINDOWS = 4000


def teacher(guidance: float) -> tuple[Way, ...]:
    """The paper's 500 steps, plain DPM-Solver++ in fewer, and the fewest of it without guidance."""
    return (
        Way("ddpm", 500, guidance),
        *(Way("dpmpp_2m", steps, guidance) for steps in (50, 20, 10, 4, 2, 1)),
        *(Way("dpmpp_2m", steps, 0.0) for steps in (4, 2, 1)),
    )


@dataclass(frozen=True)
class Row:
    """One way: what it costs, its conformity columns in per cent, and its Frechet distance."""

    way: Way
    evaluations: int
    columns: dict[str, float]
    frechet: float


@dataclass(frozen=True)
class FewSteps:
    """All ways, and the distance between two sets of composed series."""

    rows: tuple[Row, ...]
    floor: float
    facts: dict[str, object]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        rows = [
            {
                "solver": r.way.solver,
                "steps": r.way.steps,
                "guidance": r.way.guidance,
                "evaluations": r.evaluations,
                "frechet": r.frechet,
                **r.columns,
            }
            for r in self.rows
        ]
        return {**self.facts, "frechet_floor": self.floor, "rows": rows}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> FewSteps:
        """What :meth:`to_dict` gave."""
        rows = tuple(
            Row(
                Way(row["solver"], row["steps"], row["guidance"]),
                row["evaluations"],
                {c: row[c] for c in COLUMNS if c in row},
                row["frechet"],
            )
            for row in found["rows"]
        )
        facts = {k: v for k, v in found.items() if k not in ("rows", "frechet_floor")}
        return cls(rows, found["frechet_floor"], facts)

    def to_markdown(self) -> str:
        """One row a way."""
        head = ["way", "w", "evaluations", *COLUMNS, "Frechet"]
        lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
        for r in self.rows:
            cells = [f"{r.way.solver} x {r.way.steps}", f"{r.way.guidance:g}", str(r.evaluations)]
            cells += [f"{r.columns[c]:.1f}" if c in r.columns else "-" for c in COLUMNS]
            lines.append("| " + " | ".join([*cells, f"{r.frechet:.3f}"]) + " |")
        empty = " | -" * (len(COLUMNS) + 2)
        lines.append(f"| composed against composed{empty} | {self.floor:.3f} |")
        return "\n".join(lines)


def composed_extractor(count: int = EXTRACTOR_WINDOWS, seed: int = 0) -> Extractor:
    """The extractor, trained on ``count`` composed series of training scenarios.

    Cost: about two minutes on one core.
    """
    layout = Layout()
    known = [s for s in SCENARIOS if s.split == "train"]
    rows, families = [], []
    for i in range(count):
        rng = np.random.default_rng((_EXTRACTOR, seed, i))
        scenario = known[int(rng.integers(len(known)))] if i % 2 else None
        composed = compose(rng, layout, scenario, 1 + i % 4)
        claims = composed.claims
        kinds = sorted({e.kind for e in claims.events or ()})
        families.append(f"{claims.trend} {bool(claims.periods)} {' '.join(kinds)}")
        rows.append(composed.series)
    common = {f for f in set(families) if families.count(f) >= count // 300}
    kept = [i for i, f in enumerate(families) if f in common]
    return train_extractor(
        np.stack([rows[i] for i in kept]), [families[i] for i in kept], seed=seed
    )[0]


def composed_series(pairs: Sequence[Pair]) -> FloatArray:
    """The series that the descriptions were composed with: ``[n, 512]``."""
    return np.stack([np.asarray(p.series, dtype=np.float64) for p in pairs])


def measure(
    generator: Generator,
    ways: Sequence[Way],
    *,
    count: int = 200,
    samples: int = 20,
    paired: int = 2000,
    seed: int = 0,
    say: Callable[[str], object] = unheard,
) -> FewSteps:
    """Draw and judge each way.

    Args:
        generator: The model.
        ways: What to compare.
        count, samples: Development descriptions, and series of each, for the conformity columns.
        paired: Descriptions with one series each for the Frechet distance.
        seed: Of the descriptions and of the noise.
        say: Told of each row as it is done.
    """
    extractor = composed_extractor()
    asked = development_descriptions(count, seed)
    others = development_descriptions(paired, seed + _PAIRED)
    reference = features_of(extractor, composed_series(others))
    again = composed_series(development_descriptions(paired, seed + _FLOOR))
    rows = []
    for way in ways:
        judged = judge_all(
            draw(generator, asked, samples, way, seed),
            [p.claims for p in asked],
            [p.task for p in asked],
        )
        once = np.concatenate(draw(generator, others, 1, way, seed + 7))
        settled = way.settled(generator)
        rows.append(
            Row(
                settled,
                way.evaluations(generator),
                report(judged, {}).raw[0],
                frechet_distance(reference, features_of(extractor, once)),
            )
        )
        say(f"{settled.solver} x {settled.steps}: {rows[-1].columns}, {rows[-1].frechet:.3f}")
    facts: dict[str, object] = {
        "sha256": generator.model.fingerprint,
        "precision": generator.model.precision,
        "isa": generator.model.isa,
        "descriptions": count,
        "samples": samples,
        "paired": paired,
        "seed": seed,
    }
    floor = frechet_distance(reference, features_of(extractor, again))
    return FewSteps(tuple(rows), floor, facts)
