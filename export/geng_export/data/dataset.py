"""The training mixture: (series, description) pairs, drawn fresh in every epoch from a seed.

Example ``i`` of epoch ``e`` depends on ``(seed, e, i)`` alone, so an interrupted run goes on where it
stopped and any number of workers draws the same pairs. The other splits use
scenarios that training never sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from geng_edge.analysis.season import CYCLES
from geng_edge.claims import Claims
from geng_edge.number_channels import number_channels
from geng_edge.numbers import Number, find_numbers
from geng_export.data.answers import answers_of
from geng_export.data.compose import compose
from geng_export.data.phrases import Description, Span, phrase
from geng_export.data.scenarios import SCENARIOS
from geng_export.models import layout as at
from geng_export.models.frame import ROLES, Frame, RoleValue, frame_of, to_coordinates
from geng_export.models.layout import FloatArray, Layout

PAIRS_PER_EPOCH = 96_000
MAX_TOKENS = 128
WINDOW = 512
#: Probability that one number is hidden from the frame, so that the bridge also learns to do without.
HIDDEN_NUMBER = 0.02

#: Seed, scenarios and wordings of each split. ``development`` holds out scenarios and descriptions,
#: ``wordings`` the ways of saying things as well; ``tuning`` holds out other wordings, to choose by.
#: ``free`` is training in freer words, for the text side alone; ``two-kinds`` is development with two
#: events of two kinds in every description.
_SPLIT_SEED = {
    "train": 0,
    "free": 4_000_007,
    "tuning": 3_000_003,
    "development": 1_000_003,
    "wordings": 2_000_003,
    "two-kinds": 5_000_011,
}
_SPLIT_SCENARIOS = {
    "train": "train",
    "free": "train",
    "tuning": "train",
    "development": "development",
    "wordings": "development",
    "two-kinds": "development",
}
_SPLIT_WORDINGS = {
    "train": "train",
    "free": "free",
    "tuning": "tuning",
    "development": "train",
    "wordings": "development",
    "two-kinds": "train",
}
#: Tasks that have events: all of a two-kinds description's.
_EVENTFUL = (3, 4)


@dataclass(frozen=True)
class Pair:
    """One example before tokenisation."""

    structure: FloatArray
    description: Description
    task: int
    series: FloatArray | None = None

    @property
    def text(self) -> str:
        """The description's words."""
        return self.description.text

    @property
    def claims(self) -> Claims:
        """What the words state."""
        return self.description.claims

    @property
    def interval(self) -> float:
        """Seconds between steps."""
        return self.description.claims.interval


@dataclass(frozen=True)
class RealPool:
    """Analysed real windows: their structures (float32 ``[n, tokens, width]``) and claims."""

    structures: npt.NDArray[np.float32]
    claims: tuple[Claims, ...]


@dataclass(frozen=True)
class Mixture:
    """Shares of the sources; what is left is composed from scenarios.

    ``two_kinds`` is the share of composed windows with an event that have another of another kind.
    """

    abstract: float = 0.45
    real: float = 0.15
    tasks: tuple[float, float, float, float] = (0.2, 0.25, 0.25, 0.3)
    two_kinds: float = 0.0


def draw_pair(
    rng: np.random.Generator,
    layout: Layout,
    mixture: Mixture,
    pool: RealPool | None = None,
    split: str = "train",
    length: int = WINDOW,
) -> Pair:
    """Draw one pair: composed from nothing, composed from a scenario, or real.

    Its words are about a window of ``length`` steps, and every period shows in it ``CYCLES`` times.
    """
    kind = rng.random()
    if pool is not None and kind > 1.0 - mixture.real:
        i = int(rng.integers(len(pool.claims)))
        structure = pool.structures[i].astype(np.float64)
        return _worded(rng, structure, pool.claims[i], 4, split, None)
    scenario = None
    if kind > mixture.abstract:
        names = _scenarios_of(_SPLIT_SCENARIOS[split])
        scenario = SCENARIOS[names[int(rng.integers(len(names)))]]
    task = 1 + int(rng.choice(4, p=mixture.tasks))
    while True:
        composed = compose(rng, layout, scenario, task, mixture.two_kinds)
        if max(composed.claims.periods, default=0.0) * CYCLES <= length:
            break
    claims = replace(composed.claims, length=length)
    return _worded(rng, composed.structure, claims, task, split, composed.series)


_BY_SPLIT: dict[str, list[int]] = {}


def _scenarios_of(split: str) -> list[int]:
    if split not in _BY_SPLIT:
        _BY_SPLIT[split] = [i for i, s in enumerate(SCENARIOS) if s.split == split]
    return _BY_SPLIT[split]


def _worded(
    rng: np.random.Generator,
    structure: FloatArray,
    claims: Claims,
    task: int,
    split: str,
    series: FloatArray | None,
) -> Pair:
    """Put claims into words, and let what the words round be what the structure holds."""
    description = phrase(claims, rng, _SPLIT_WORDINGS[split])
    said = description.claims
    structure = structure.copy()
    level = structure[at.LEVEL]
    low, high = level[at.LOW], level[at.LOW] + level[at.RANGE]
    share = level[at.MEAN]
    if said.low is not None and said.high is not None and said.high > said.low:
        low, high = said.low, said.high
        level[at.LOW], level[at.RANGE] = low, high - low
    if said.mean is not None:
        stated = (said.mean - low) / (high - low)
        if 0.0 < stated < 1.0 and abs(stated - share) < 0.02:
            level[at.MEAN] = stated
    for token, period in zip((at.SEASON_1, at.SEASON_2), said.periods, strict=False):
        if structure[token, at.AMPLITUDE] > 0.0:
            near = abs(period / structure[token, at.PERIOD] - 1.0) < 0.03
            structure[token, at.PERIOD] = period if near else structure[token, at.PERIOD]
    return Pair(structure, description, task, series)


def development_descriptions(
    count: int,
    seed: int = 0,
    split: str = "development",
    layout: Layout | None = None,
    length: int = WINDOW,
) -> list[Pair]:
    """Pairs whose descriptions and scenarios are never trained on; tasks 1 to 4 in turn.

    Half of them are abstract (no device, any numbers), half come from development scenarios.
    With ``split="wordings"`` every clause is put in words that training never uses, too; with
    ``split="two-kinds"`` all tell of two events of two kinds. They speak of a window of ``length`` steps.
    """
    sizes = layout or Layout()
    pairs = []
    for i in range(count):
        rng = np.random.default_rng((_SPLIT_SEED[split], seed, i))
        task = _EVENTFUL[i % 2] if split == "two-kinds" else 1 + i % 4
        tasks = tuple(float(t == task) for t in range(1, 5))
        mixture = Mixture(
            abstract=float((i // 4) % 2),
            real=0.0,
            tasks=tasks,  # type: ignore[arg-type]
            two_kinds=float(split == "two-kinds"),
        )
        pair = draw_pair(rng, sizes, mixture, None, split, length)
        while split == "two-kinds" and len(pair.claims.events or ()) < 2:
            pair = draw_pair(rng, sizes, mixture, None, split, length)
        pairs.append(pair)
    return pairs


def roles_of(spans: Sequence[Span], numbers: Sequence[Number]) -> list[int]:
    """The role of each number found in a text, by overlap with the spans its writer reported."""
    roles = []
    for number in numbers:
        match = [s.role for s in spans if s.start < number.end and number.start < s.end]
        roles.append(ROLES.index(match[0]) if match else 0)
    return roles


def role_values(numbers: Sequence[Number], roles: Sequence[int]) -> dict[str, RoleValue]:
    """The first number of each role, as :func:`geng_export.models.frame.frame_of` takes them."""
    found: dict[str, RoleValue] = {}
    for number, role in zip(numbers, roles, strict=True):
        if role > 0 and ROLES[role] not in found:
            steps = float(number.steps) if number.steps is not None else 0.0
            found[ROLES[role]] = RoleValue(number.value, steps, number.unit == "percent")
    return found


@dataclass
class Example:
    """One tokenised pair.

    Attributes:
        ids: Word pieces with [CLS] and [SEP], int64 ``[tokens]``.
        numbers: Number channels, float32 ``[tokens, 32]``.
        roles: Role of each word piece, -1 where it belongs to no number, int64 ``[tokens]``.
        answers: What the text says, field by field, int64 ``[fields]``.
        frame: Frame features, float32 ``[16]``.
        raw: Raw latent in its frame, float32 ``[latent tokens, width]``.
    """

    ids: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float32]
    roles: npt.NDArray[np.int64]
    answers: npt.NDArray[np.int64]
    frame: npt.NDArray[np.float32]
    raw: npt.NDArray[np.float32]


def tokenised(
    pair: Pair, tokenizer: Tokenizer, rng: np.random.Generator | None = None
) -> Example | None:
    """Tokenise a pair; None when its text is longer than a condition can be.

    With ``rng``, a number is hidden from the frame now and then.
    """
    encoded = tokenizer.encode(pair.text)
    if len(encoded.ids) > MAX_TOKENS:
        return None
    numbers = find_numbers(pair.text, pair.interval, pair.claims.length)
    roles = roles_of(pair.description.spans, numbers)
    known = role_values(numbers, roles)
    if rng is not None:
        known = {k: v for k, v in known.items() if rng.random() >= HIDDEN_NUMBER}
    frame: Frame = frame_of(known, WINDOW)
    by_piece = np.full(len(encoded.ids), -1, dtype=np.int64)
    for number, role in zip(numbers, roles, strict=True):
        for i, (a, b) in enumerate(encoded.offsets):
            if a < number.end and number.start < b:
                by_piece[i] = role
    return Example(
        np.asarray(encoded.ids, dtype=np.int64),
        number_channels(numbers, encoded.offsets),
        by_piece,
        answers_of(pair.claims),
        frame.features(),
        to_coordinates(pair.structure, frame).astype(np.float32),
    )


@dataclass(frozen=True)
class Source:
    """Everything that decides what is drawn."""

    layout: Layout
    mixture: Mixture = Mixture()
    seed: int = 0
    pool: RealPool | None = None
    split: str = "train"

    def example(self, epoch: int, index: int, tokenizer: Tokenizer) -> Example:
        """Example ``index`` of ``epoch``."""
        attempt = 0
        while True:
            key = (_SPLIT_SEED[self.split], self.seed, epoch, index, attempt)
            rng = np.random.default_rng(key)
            drawn = draw_pair(rng, self.layout, self.mixture, self.pool, self.split)
            example = tokenised(drawn, tokenizer, rng)
            if example is not None:
                return example
            attempt += 1

    def examples(self, tokenizer: Tokenizer, start: int = 0) -> Iterator[Example]:
        """Examples without end, from the ``start``-th on."""
        while True:
            yield self.example(start // PAIRS_PER_EPOCH, start % PAIRS_PER_EPOCH, tokenizer)
            start += 1


def restated(pair: Pair, text: str) -> Pair:
    """The same pair under other words, for tests of paraphrases."""
    return replace(pair, description=replace(pair.description, text=text))
