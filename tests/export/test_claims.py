"""Claims: the vocabulary that composing, describing and judging share."""

from __future__ import annotations

import itertools
import math
import re

import pytest

from geng_edge.claims import (
    NOISE_BANDS,
    NOISE_LEVELS,
    POSITION_WORDS,
    Claims,
    Event,
    check,
    event_at_word,
    noise_level,
)


def test_a_claim_says_nothing_until_told() -> None:
    check(Claims())
    assert Claims().events is None
    assert Claims().periods == ()


def test_noise_bands_cover_every_share_without_a_gap() -> None:
    assert tuple(NOISE_BANDS) == NOISE_LEVELS
    bands = list(NOISE_BANDS.values())
    assert bands[0][0] == 0.0
    assert bands[-1][1] == math.inf
    assert all(a[1] == b[0] for a, b in itertools.pairwise(bands))
    assert [noise_level(s) for s in (0.0, 0.01, 0.04, 3.0)] == list(NOISE_LEVELS)


def test_position_words_are_bands_inside_the_window() -> None:
    assert all(0.0 <= a < b <= 1.0 for a, b in POSITION_WORDS.values())
    shares = [i / 100.0 for i in range(101)]
    assert all(any(a <= s <= b for a, b in POSITION_WORDS.values()) for s in shares)


def test_an_event_placed_by_a_word_agrees_with_its_whole_band() -> None:
    event = event_at_word("shift", "near the end", -1)
    assert event == Event("shift", pytest.approx(0.9), -1, pytest.approx(0.08))


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        (Claims(trend="sideways"), "trend is 'sideways'; it must be one of up, down, none"),
        (Claims(wave="wobble"), "wave is 'wobble'"),
        (Claims(low=2.0, high=1.0), "low is 2.0; it must be at most high, 1.0"),
        (Claims(low=math.nan), "low is nan; it must be finite"),
        (Claims(periods=(1.0, 2.0, 3.0)), "there are 3 periods; there must be at most 2"),
        (Claims(periods=(0.0,)), "period is 0.0; it must be positive, in steps"),
        (Claims(periods=(8.0,), periodic=False), "periods are given and periodic is False"),
        (Claims(events=(Event("bang", 0.5),)), "event is 'bang'"),
        (Claims(events=(Event("dip", 1.5),)), "dip position is 1.5; it must be 0 to 1"),
        (Claims(interval=0.0), "interval is 0.0; it must be positive"),
        (Claims(noise_std=-1.0), "noise_std is -1.0; it must be 0 or more"),
        (Claims(length=0), "length is 0; it must be 1 or more"),
    ],
)
def test_claims_that_contradict_themselves_are_refused(claims: Claims, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        check(claims)


def test_a_negative_noise_share_is_refused() -> None:
    with pytest.raises(ValueError, match=r"noise share is -0\.1; it must be 0 or more"):
        noise_level(-0.1)
