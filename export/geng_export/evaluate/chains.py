"""Series longer than a window: does a chain stay what it was, and can its seams be found?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.signal import periodogram
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from geng_export.evaluate.drawing import Description, descriptions, unheard

if TYPE_CHECKING:
    from geng_edge.generator import Generator

Array = npt.NDArray[np.float64]
#: Steps on either side of a place that the searchers for seams look at.
SIDE = 32
#: A tenth of the shortest chain that is measured holds this many cycles of a dominant period.
CYCLES = 4
FOLDS = 5


@dataclass(frozen=True)
class Chains:
    """What was found, and what made it.

    Attributes:
        mean, spread, period: Of each chain, from its first to its last tenth: change of the mean as
            a share of the range; of the standard deviation and of the dominant period as shares
            of their own (the period only where the description has one).
        change_point, classifier: Area under the curve of telling seams from the places half-way
            between two: by the likelihood gain of a change point there, and by boosted trees.
    """

    mean: list[float]
    spread: list[float]
    period: list[float]
    change_point: float
    classifier: float
    facts: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Chains:
        """What :meth:`to_dict` gave."""
        return cls(**{one.name: found[one.name] for one in fields(cls)})

    def to_markdown(self) -> str:
        """One row a measure."""
        lines = ["| drift, first to last tenth | mean | worst |", "| --- | ---: | ---: |"]
        for name in ("mean", "spread", "period"):
            row = 100.0 * np.abs(getattr(self, name))
            cells = f"{row.mean():.2f} % | {row.max():.2f} %" if len(row) else "- | -"
            lines.append(f"| {name} | {cells} |")
        lines += [
            "",
            "| search for seams | area under the curve |",
            "| --- | ---: |",
            f"| change point | {self.change_point:.3f} |",
            f"| classifier | {self.classifier:.3f} |",
        ]
        return "\n".join(lines)


def steady(one: Description, length: int) -> bool:
    """Whether nothing in the description says that the series changes on its way."""
    claims = one.claims
    cycles = all(CYCLES * p <= length / 10 for p in claims.periods)
    return claims.trend == "none" and not claims.events and cycles


def measure(
    generator: Generator,
    *,
    count: int,
    length: int,
    seed: int = 0,
    say: Callable[[str], object] = unheard,
) -> Chains:
    """Draw one chain for each of ``count`` development descriptions, and look at it.

    Args:
        generator: A model.
        count: Chains.
        length: Steps of each.
        seed: Of descriptions, noise and the classifier's folds.
        say: Told of progress.

    Cost: about 0.1 s a chain of 10,000 steps, and a minute for the searches.
    """
    from geng_edge.condition import Condition

    asked: list[Description] = []
    found = 0
    while len(asked) < count:
        found = 4 * (found + count)
        asked = [d for d in descriptions("development", found, seed) if steady(d, length)][:count]
    chains = []
    for i, one in enumerate(asked):
        condition = Condition.from_text(one.text, one.interval, generator)
        drawn = generator.generate(condition, 1, length=length, seed=seed + 1000 * i)
        chains.append(drawn.values[0].astype(np.float64))
    say(f"drew {count} chains of {length} steps")
    tenth = length // 10
    ends = [(x[:tenth], x[-tenth:]) for x in chains]
    periodic = [(a, b) for (a, b), one in zip(ends, asked, strict=True) if one.claims.periods]
    hop = generator.model.window // 2
    x = np.stack(chains)
    return Chains(
        [float((b.mean() - a.mean()) / np.ptp(x[i])) for i, (a, b) in enumerate(ends)],
        [float(b.std() / a.std() - 1.0) for a, b in ends],
        [_dominant(b) / _dominant(a) - 1.0 for a, b in periodic],
        _change_point_auc(x, hop),
        _classifier_auc(x, hop, seed),
        {"chains": count, "length": length, "seam_every": hop, "seed": seed},
    )


def _dominant(x: Array) -> float:
    """Period of the highest peak of the spectrum, between bins by a parabola."""
    frequency, power = periodogram(x - x.mean(), window="hann", nfft=4 * len(x))
    k = 1 + int(np.argmax(power[1:-1]))
    left, top, right = np.log(power[k - 1 : k + 2] + 1e-300)
    bend = left - 2.0 * top + right
    offset = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
    return 1.0 / float(frequency[1] * (k + offset))


def _places(length: int, hop: int) -> tuple[list[int], list[int]]:
    """Seams, and the places half-way between two."""
    seams = list(range(hop, length - hop, hop))
    return seams, [seam + hop // 2 for seam in seams]


def _change_point_auc(chains: Array, hop: int) -> float:
    """Gain in likelihood, two Gaussians for one, of a change of mean or spread exactly there."""
    seams, between = _places(chains.shape[1], hop)
    gains, truth = [], []
    for x in chains / chains.std(axis=1, keepdims=True):
        for is_seam, places in ((True, seams), (False, between)):
            for at in places:
                before, after = x[at - SIDE : at], x[at : at + SIDE]
                whole = _log_spread(np.concatenate([before, after]))
                gains.append(whole - 0.5 * (_log_spread(before) + _log_spread(after)))
                truth.append(is_seam)
    return _either_way(roc_auc_score(truth, gains))


def _log_spread(x: Array) -> float:
    # The floor is for stretches that are constant.
    return float(np.log(x.var() + 1e-8))


def _classifier_auc(chains: Array, hop: int, seed: int) -> float:
    """Trees that see values and steps around a place, and are tested on chains they never saw."""
    seams, between = _places(chains.shape[1], hop)
    rows, truth, groups = [], [], []
    for i, x in enumerate(chains):
        for is_seam, places in ((True, seams), (False, between)):
            for at in places:
                part = x[at - SIDE : at + SIDE]
                part = (part - part.mean()) / max(part.std(), 1e-12)
                rows.append(np.concatenate([part, np.abs(np.diff(part))]))
                truth.append(is_seam)
                groups.append(i)
    scores = cross_val_predict(
        HistGradientBoostingClassifier(max_iter=100, random_state=seed),
        np.stack(rows),
        np.array(truth),
        groups=np.array(groups),
        cv=GroupKFold(min(FOLDS, len(chains))),
        method="predict_proba",
    )[:, 1]
    return _either_way(roc_auc_score(truth, scores))


def _either_way(area: float) -> float:
    """A searcher that is always wrong has found the seams, too."""
    return max(float(area), 1.0 - float(area))
