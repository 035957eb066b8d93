"""Descriptions to measure by, and the series that a model draws for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from geng_edge.claims import Claims
from geng_edge.request import DEFAULT_INTERVAL, DEFAULT_STEPS, Request
from geng_export.data.dataset import development_descriptions
from geng_export.errors import ExportError
from geng_export.evaluate.paraphrases import free_texts, paraphrases

if TYPE_CHECKING:
    from geng_edge.generator import Generator

#: ``development``: scenarios and descriptions held out; ``wordings``: ways of saying things as well;
#: ``paraphrases``: free text that follows no format; ``two-kinds``: two events of two kinds in each.
SPLITS = ("development", "wordings", "paraphrases", "two-kinds")
_FREE = ("free-a", "free-b", "free-c", "free-d")
#: Beside them what is there to tune by, and ``free-d``, free text that is not.
READING_SPLITS = (*SPLITS, "tuning", *_FREE)
#: Free text whose misreadings nobody looks at.
UNSEEN = ("paraphrases", "free-d")


class Description(Protocol):
    """A text and what it states."""

    @property
    def text(self) -> str:
        """The words."""

    @property
    def interval(self) -> float:
        """Seconds a step."""

    @property
    def claims(self) -> Claims:
        """What they state."""

    @property
    def task(self) -> int:
        """1 trend, 2 periodic, 3 anomaly, 4 more than one of them."""


def unheard(_text: str) -> None:
    """Tell nobody of progress."""


@dataclass(frozen=True)
class Way:
    """How series are drawn; None is the model's default.

    Attributes:
        solver, steps, guidance, interval: As sampling takes them.
        numbers: Whether the condition keeps its number channels.
    """

    solver: str | None = None
    steps: int = DEFAULT_STEPS
    guidance: float | None = None
    interval: tuple[float, float] = DEFAULT_INTERVAL
    numbers: bool = True

    def settled(self, generator: Generator) -> Way:
        """With the model's defaults filled in."""
        request = Request(steps=self.steps, solver=self.solver, guidance=self.guidance)
        said = request.settled(generator.distilled)
        return replace(self, solver=said.solver, steps=said.steps, guidance=said.guidance)

    def evaluations(self, generator: Generator) -> int:
        """Times that a network is asked for one series, conditional and unconditional."""
        way = self.settled(generator)
        return way.steps * (2 if way.guidance else 1)


def descriptions(split: str, count: int, seed: int = 0, length: int = 512) -> Sequence[Description]:
    """``count`` descriptions that training never saw, of windows of ``length`` steps.

    Raises:
        ExportError: Free text was asked for another length than 512.
    """
    if split not in ("paraphrases", *_FREE):
        return development_descriptions(count, seed, split, length=length)
    if length != 512:
        raise ExportError(f"length is {length}; it must be 512 with {split}")
    if split == "paraphrases":
        return paraphrases(count, seed)
    return free_texts(split[-1])[:count]


def draw(
    generator: Generator,
    asked: Sequence[Description],
    samples: int,
    way: Way,
    seed: int = 0,
    say: Callable[[str], object] = unheard,
) -> list[npt.NDArray[np.float32]]:
    """Series for each description: float32 ``[samples, length]`` each; description i has seed + 1000 i.

    The length is what its claims are about.

    Cost: a condition for each description, and ``samples`` series.
    """
    from geng_edge.condition import Condition

    drawn = []
    for i, one in enumerate(asked):
        condition = Condition.from_text(one.text, one.interval, generator, one.claims.length)
        if not way.numbers:
            condition.array[:, generator.model.text_width :] = 0.0
        series = generator.generate(
            condition,
            samples,
            length=one.claims.length,
            steps=way.steps,
            solver=way.solver,
            guidance=way.guidance,
            guidance_interval=way.interval,
            seed=seed + 1000 * i,
        )
        drawn.append(series.values)
        if (i + 1) % 50 == 0:
            say(f"sampled {i + 1} of {len(asked)} descriptions")
    return drawn
