"""The stage ``tune``: from the base, learn to answer, to grade, and to ask (the backward direction)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_cog.durations import rounded_limits
from geng_cog.knowledge import kinds, scenarios
from geng_cog.lm import model as network
from geng_cog.lm.texts import GRADES, backward_prompt, prompt
from geng_cog.lm.training import Example, Recipe, train
from geng_cog.seeds import Pair, seed_pair
from geng_cog.selftrain.base import prose
from geng_cog.statement import END, VALUES, Statement, parse
from geng_edge.wire.answer import ChannelClaims

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import LlamaForCausalLM

RECIPE = Recipe(epochs=4.0, rate=2.5e-3, tokens=1024, decay=0.05, average=0.3)
#: Of the seed pairs, how many are also shown spoiled, with the lower grade they deserve.
SPOILED = 0.2


@dataclass(frozen=True)
class Lesson:
    """A task and the statement that answers it, as text.

    Attributes:
        task, text: Prompt and target.
        whole: Whether all of the text and the top grade after it are learned, as of seeds. Of a candidate
            only what follows the name of the quantity is: that name is a word of its document, which tells
            nothing of how to choose one, and the grade may not be deserved.
    """

    task: str
    text: str
    whole: bool = False


def tune(
    base: Path,
    tokenizer: Tokenizer,
    seeds: Sequence[Lesson],
    kept: Sequence[Lesson],
    recipe: Recipe = RECIPE,
) -> tuple[LlamaForCausalLM, dict[str, Any]]:
    """Train the base on seed and kept pairs.

    Args:
        base: File of the base model.
        tokenizer: Its tokenizer.
        seeds: Seed pairs; some are shown spoiled too, which teaches to grade.
        kept: Selected candidates; may be empty.
        recipe: How to train; its seed also draws what is spoiled.

    Returns:
        The tuned network and figures of the training.

    Cost: about a minute a 1000 pairs on one core.
    """
    model, _ = network.load(base)
    rng = np.random.default_rng((recipe.seed, 1))
    examples = [lesson(tokenizer, pair) for pair in (*seeds, *kept)]
    spoiled = rng.permutation(len(seeds))[: int(SPOILED * len(seeds))]
    examples += [_graded(tokenizer, *_spoil(seeds[int(i)], rng)) for i in spoiled]
    examples += [_asked(tokenizer, s) for s in _backward(rng)]
    return model, train(model, examples, recipe)


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    found: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return found


def _example(tokenizer: Tokenizer, before: str, target: str) -> Example:
    ahead, learned = _ids(tokenizer, before), _ids(tokenizer, target)
    return Example((*ahead, *learned), (False,) * len(ahead) + (True,) * len(learned))


def lesson(tokenizer: Tokenizer, pair: Lesson) -> Example:
    """A pair as the training takes it."""
    if pair.whole:
        return _example(tokenizer, prompt(pair.task), f"{pair.text}{END}{GRADES[-1]}")
    given, mark, rest = pair.text.partition(VALUES)
    return _example(tokenizer, f"{prompt(pair.task)}{given}", f"{mark}{rest}{END}")


def _graded(tokenizer: Tokenizer, task: str, text: str, grade: str) -> Example:
    return _example(tokenizer, f"{prompt(task)}{text}{END}", grade)


def _backward(rng: np.random.Generator) -> list[Pair]:
    return [seed_pair([s], rng) for s in scenarios("train")]


def _asked(tokenizer: Tokenizer, pair: Pair) -> Example:
    """A document and the subject that it suggests, as the stage ``augment`` writes it."""
    s = pair.scenarios[0]
    return _example(tokenizer, backward_prompt(prose(pair)), f"{s.said} of {s.device}\n")


def _spoil(pair: Lesson, rng: np.random.Generator) -> tuple[str, str, str]:
    """A pair with one to four faults, and the grade that is left of five."""
    statement = parse(pair.text)
    claims = statement.channels[0]
    number = int(rng.integers(1, 5))
    faults = [int(i) for i in rng.permutation(4)[:number]]
    for fault in faults:
        if fault == 0:
            claims = _other_quantity(claims, rng)
        elif fault == 1:
            claims = _other_range(claims, rng)
        elif fault == 2:
            claims = _other_period(claims, rng)
        else:
            trend = ("up", "down", "none")[int(rng.integers(3))]
            claims = replace(claims, trend=trend if trend != claims.trend else "up")
            statement = _other_times(statement, rng)
    spoiled = replace(statement, channels=(claims, *statement.channels[1:]))
    return pair.task, spoiled.text(), GRADES[max(0, 4 - number)]


def _other_quantity(claims: ChannelClaims, rng: np.random.Generator) -> ChannelClaims:
    known = [k for k in kinds().values() if k.name != claims.quantity]
    kind = known[int(rng.integers(len(known)))]
    return replace(claims, quantity=kind.name, unit=kind.unit)


def _other_range(claims: ChannelClaims, rng: np.random.Generator) -> ChannelClaims:
    width = (claims.high - claims.low) * float(rng.choice([0.1, 0.2, 4.0, 8.0]))
    low, high = rounded_limits(claims.low, claims.low + width)
    return replace(claims, low=low, high=high) if low < high else claims


def _other_period(claims: ChannelClaims, rng: np.random.Generator) -> ChannelClaims:
    if not claims.periods:
        return replace(claims, periods=(3600.0,), wave="square")
    if rng.random() < 0.3:
        return replace(claims, periods=(), wave=None)
    factor = float(rng.choice([0.1, 0.25, 0.5, 3.0]))
    return replace(claims, periods=(round(claims.periods[0] * factor, 4),))


def _other_times(statement: Statement, rng: np.random.Generator) -> Statement:
    factor = float(rng.choice([0.1, 0.5, 3.0]))
    return replace(statement, span=round(statement.span * factor, 4))
