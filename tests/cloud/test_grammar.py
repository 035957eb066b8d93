"""Whatever a model's logits are, what is written within the grammar parses and is possible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geng_cog.grammar.nodes import GRID, End, Number, Then, advance, grid
from geng_cog.grammar.statements import begin
from geng_cog.grammar.tokens import Guide, Trie
from geng_cog.knowledge import by_label, kinds, scenarios
from geng_cog.limits import read_limits
from geng_cog.plausible import doubts, faults
from geng_cog.seeds import seed_pair
from geng_cog.stated import Stated, read_stated
from geng_cog.statement import END, parse
from geng_edge.wire.answer import Answer, Channel

PIECES = (
    *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-[]/#%\n",
    "\nspan ", ", every ", "\n# ", "\nvalues ", " .. ", " day", " h", "none", "\nend",
    "temperature", "12", "7.",
)  # fmt: skip
TRIE = Trie(PIECES)


def written(seed: int, stated: Stated, narrow: bool) -> str:
    """What a model with random logits writes."""
    rng = np.random.default_rng(seed)
    guide = Guide(TRIE, begin(stated, narrow=narrow))
    for _ in range(4000):
        allowed = guide.allowed()
        assert len(allowed), f"nothing may follow {guide.text[-60:]!r}"
        guide.take(int(rng.choice(allowed)))
        if guide.done:
            return guide.text
    raise AssertionError("it never ends")


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32), narrow=st.booleans(),
    span=st.sampled_from([None, 0.5, 3600.0, 604800.0]), steps=st.sampled_from([None, 100.0, 1008.0]),
)  # fmt: skip
def test_any_random_logits_give_a_statement_that_parses_and_is_possible(
    seed: int, narrow: bool, span: float | None, steps: float | None
) -> None:
    interval = None if steps is None else (span or 600.0 * steps) / steps
    stated = Stated(span, interval)
    statement = parse(written(seed, stated, narrow))
    assert faults(statement) == []
    if narrow:
        assert doubts(statement) == []
    if span is not None:
        assert statement.span == pytest.approx(span, rel=1e-3)
    channels = tuple(Channel(f"c{i}", "x", c) for i, c in enumerate(statement.channels))
    Answer("task", statement.reasoning, True, statement.span, statement.interval, channels)


@settings(max_examples=200, deadline=None)
@given(
    low=st.integers(-(10**8), 10**8), width=st.integers(0, 10**7), seed=st.integers(0, 2**32)
)  # fmt: skip
def test_a_number_never_leaves_its_limits_and_never_gets_stuck(
    low: int, width: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    state = (Number(low, low + width, Then(("end",), lambda _: (End(),))),)
    for _ in range(30):
        node = state[0]
        fitting = [c for c in "-.0123456789" if node.step(c)]
        if node.whole and (not fitting or rng.random() < 0.4):
            break
        assert fitting, f"{node.text!r} is stuck in {low} to {low + width}"
        state = node.step(str(rng.choice(fitting)))
    assert low <= round(float(state[0].text) * GRID) <= low + width


def test_every_seed_is_in_the_language() -> None:
    rng = np.random.default_rng(3)
    for scenario in scenarios("train")[::7]:
        pair = seed_pair([scenario], rng)
        state = advance(begin(read_stated(pair.task), narrow=True), pair.statement.text() + END)
        assert any(node.final for node in state), pair.statement.text()


def test_the_stated_times_are_the_only_ones_that_fit() -> None:
    state = begin(Stated(604800.0, 600.0))
    assert advance(state, "Warm.\nspan 1 week, every 10 min\n# ")
    assert not advance(state, "Warm.\nspan 2 week")
    assert not advance(state, "Warm.\nspan 1 week, every 15")


def test_the_stated_limits_are_the_only_ones_that_fit_and_are_of_their_channel() -> None:
    told = read_limits("59 to 77 degF")
    channels = tuple(
        frozenset({kinds()[k].label}) for k in ("air temperature", "relative humidity")
    )
    state = begin(Stated(604800.0, 600.0), narrow=True, channels=channels, limits=(*told, None))
    head = "Warm.\nspan 1 week, every 10 min\n# air temperature [degC]\nvalues "
    rest = "\nperiod none\nwave none\ntrend none\nnoise low\nanomaly none"
    assert not advance(state, f"{head}18 ..")
    assert not advance(state, f"{head}15 .. 24{rest}")
    second = advance(state, f"{head}15 .. 25{rest}\n# relative humidity [%]\nvalues ")
    assert advance(second, "44 .. 60")


@pytest.mark.parametrize("key", ["relative humidity", "pH value", "heart rate"])
def test_no_value_leaves_the_physical_limits(key: str) -> None:
    kind = kinds()[key]
    head = f"Why.\nspan 1 day, every 5 min\n# {kind.label}\nvalues "
    state = advance(begin(Stated()), head)
    low, high = grid(kind.floor, kind.ceiling)
    assert not advance(state, f"{high // GRID + 1} ..")
    assert not advance(state, f"{low // GRID - 1} ..")
    assert by_label()[kind.label] == kind
