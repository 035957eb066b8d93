"""Texts written in one piece: each states what its file says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import geng_export.evaluate
from geng_edge.claims import Claims, Event
from geng_edge.numbers import find_numbers
from geng_export.data import whole
from geng_export.data.clauses import Writer
from geng_export.data.numerals import Dice, Number
from geng_export.data.phrases import phrase
from geng_export.data.whole import PERIOD, Whole
from geng_export.data.wording import read_table

CLAIMS = Claims(
    trend="up",
    periodic=True,
    periods=(64.0,),
    low=2.0,
    high=6.0,
    mean=4.0,
    events=(Event("spike", 0.7), Event("shift", 0.3, -1)),
    interval=60.0,
    length=512,
    unit="V",
)


def entry(text: str, **said: object) -> Whole:
    return Whole.from_dict({"text": text, **said})


def test_every_text_has_the_slots_and_the_keys_of_what_it_states() -> None:
    assert len(whole.texts()) > 12000
    for text in whole.texts():
        names = [piece.name for piece in text.wording.pieces if hasattr(piece, "name")]
        joined = str(text.wording.pieces)
        assert sum(names.count(name) for name in PERIOD) <= 1, joined
        assert ("low" in names) == ("high" in names), joined
        assert names.count("when") <= len(text.events or ()), joined
        assert (text.trend == "some") == ("ByDirection" in joined), joined


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (entry("{^up|down} it goes", trend="some"), True),
        (entry("up it goes", trend="up"), True),
        (entry("down it goes", trend="down"), False),
        (entry("level", trend="none"), False),
        (entry("again {every}"), True),
        (entry("no clock behind it", periodic="none"), False),
        (entry("from {low} to {high}{u}"), True),
        (entry("a bang{when}, then lower", events=["spike", "shift down"]), True),
        (entry("a bang{when}, then higher", events=["spike", "shift up"]), False),
        (entry("a bang{when}", events=["spike"]), False),
        (entry("nothing odd", events=[]), False),
        (entry("just a curve"), True),
    ],
)
def test_a_text_is_chosen_where_all_of_it_is_true(text: Whole, fits: bool) -> None:
    assert text.is_true_of(CLAIMS) is fits


def test_a_text_without_limits_fits_what_has_none() -> None:
    bare = Claims(trend="up", interval=1.0, length=512)
    assert entry("it climbs", trend="up").is_true_of(bare)
    for text in ("from {low} to {high}{u}", "around {mean}{u}", "again {every}"):
        assert not entry(text).is_true_of(bare)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match="text has range; it must have trend, periodic, events"):
        entry("from {low} to {high}{u}", range=True)


def test_what_is_written_is_what_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    only = entry(
        "It {^climbs|sinks} from {low} to {high}{u}, again {every}, a bang{when}, then lower{when}",
        trend="some",
        events=["spike", "shift down"],
    )
    monkeypatch.setattr(whole, "alike", lambda: ((only,),))
    writer = Writer(CLAIMS, Dice(np.random.default_rng(2)), "free")
    tokens = whole.write(writer)
    made = writer.claims_made()
    assert "climbs" in "".join(t.text if isinstance(t, Number) else t for t in tokens)
    assert (made.trend, made.periodic, made.low, made.high) == ("up", True, 2.0, 6.0)
    assert made.periods == pytest.approx((64.0,), rel=0.01)
    assert [(e.kind, e.direction) for e in made.events or ()] == [("spike", 1), ("shift", -1)]
    assert made.mean is None


def test_the_numbers_of_texts_are_found_and_periods_are_those_claimed() -> None:
    rng, seen = np.random.default_rng(4), 0
    for _ in range(3000):
        described = phrase(CLAIMS, rng, "free")
        found = {(n.start, n.end): n for n in find_numbers(described.text, 60.0, 512)}
        for span in described.spans:
            if span.role == "period":
                (period, *_) = described.claims.periods
                steps = found[span.start, span.end].steps
                assert steps == pytest.approx(period, rel=1e-4), described.text
                seen += 1
    assert seen > 1000


def test_no_text_is_one_that_measures() -> None:
    folder = Path(geng_export.evaluate.__file__).parent
    measured = set()
    for name in ("paraphrases.toml", "free_texts.toml"):
        measured |= {one["text"].lower() for one in read_table(folder / name)["description"]}
    assert len(measured) > 100
    for text in whole.texts():
        said = "".join(p for p in text.wording.pieces if isinstance(p, str)).lower()
        assert said not in measured
