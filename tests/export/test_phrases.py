"""Descriptions: what the text says, what it claims, and where its numbers are, must agree."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from geng_edge.claims import (
    COLOURS,
    EVENT_KINDS,
    NOISE_LEVELS,
    TREND_SHAPES,
    WAVES,
    Claims,
    Event,
    by_kind,
    check,
)
from geng_edge.numbers import Number, find_numbers
from geng_export.data import clauses, numerals
from geng_export.data.phrases import ROLES, Description, phrase
from geng_export.data.wording import UNIT_SPELLINGS, WAVE_WORDS, WORDINGS, parse
from support.spans import assert_spans_are_numbers

INTERVALS = (0.001, 0.02, 0.1, 1.0, 1.0, 1.0, 5.0, 60.0, 300.0, 600.0, 900.0, 3600.0, 86400.0)
SUBJECTS = (
    ("", "", ""),
    ("air temperature", "temperature sensor", "greenhouse"),
    ("relative humidity", "hygrometer", "office"),
    ("vibration velocity", "accelerometer", ""),
)


def random_claims(rng: np.random.Generator) -> Claims:
    """Claims of every kind, whether or not a series could bear all of them out."""
    interval = float(rng.choice(INTERVALS))
    span = 10.0 ** rng.uniform(-3.0, 5.0)
    low = float(rng.choice([0.0, -span / 2.0, span * rng.normal(), 20.0 * span, -7.0]))
    high = low + span
    day = 86400.0 / interval
    periods: tuple[float, ...] = ()
    if rng.random() < 0.75:
        candidates = [
            float(rng.integers(8, 201)),
            rng.uniform(8.0, 200.0),
            day,
            day / 24.0,
            day / 4,
        ]
        picked = rng.choice([c for c in candidates if 4.0 <= c <= 300.0], 2)
        periods = tuple(float(p) for p in picked[: rng.integers(1, 3)])
    events = [
        Event(str(rng.choice(EVENT_KINDS)), rng.random(), int(rng.choice([-1, 1])))
        for _ in range(rng.choice([0, 0, 1, 1, 2]))
    ]
    noisy = rng.random() < 0.7
    quantity, device, place = SUBJECTS[rng.integers(len(SUBJECTS))]
    trend = str(rng.choice(["up", "down", "none"]))
    return Claims(
        trend=trend if rng.random() < 0.8 else None,
        trend_shape=str(rng.choice(TREND_SHAPES)) if trend != "none" else None,
        periodic=bool(periods),
        periods=periods,
        wave=str(rng.choice(WAVES)) if periods else None,
        low=low,
        high=high,
        mean=low + span * rng.choice([0.5, rng.uniform(0.2, 0.8)]),
        noise=str(rng.choice(NOISE_LEVELS)) if noisy else None,
        noise_std=span * 10.0 ** rng.uniform(-3.0, -1.0) if noisy and rng.random() < 0.7 else None,
        colour=str(rng.choice(COLOURS)) if noisy else None,
        events=tuple(events) if rng.random() < 0.8 else None,
        stationary=bool(rng.random() < 0.5) if rng.random() < 0.3 else None,
        resolution=span / float(rng.choice([50, 100, 128])) if rng.random() < 0.2 else None,
        interval=interval,
        unit=str(rng.choice(["", "", *UNIT_SPELLINGS])),
        quantity=quantity,
        device=device,
        place=place,
    )


def described(count: int, seed: int = 0) -> list[tuple[Claims, Description, str]]:
    rng = np.random.default_rng(seed)
    told = []
    for i in range(count):
        claims = random_claims(rng)
        check(claims)
        split = "development" if i % 3 == 0 else "train"
        told.append((claims, phrase(claims, rng, split), split))
    return told


TOLD = described(5000)


def roles_of(claims: Claims, description: Description) -> dict[str, Number]:
    """The numbers of a text by role, as the number reader of the device finds them."""
    numbers = {(n.start, n.end): n for n in find_numbers(description.text, claims.interval)}
    return {s.role: numbers[s.start, s.end] for s in description.spans if s.role != "other"}


def agree(claimed: float | None, read: float | None) -> bool:
    if claimed is None or read is None:
        return claimed is read
    return math.isclose(claimed, read, rel_tol=1e-9, abs_tol=1e-12)


def test_every_number_of_a_text_is_a_span_and_every_span_a_number() -> None:
    for claims, description, _ in TOLD:
        assert_spans_are_numbers(description, claims.interval)
        assert {s.role for s in description.spans} <= set(ROLES)


def test_a_role_is_played_once() -> None:
    for _, description, _ in TOLD:
        roles = [s.role for s in description.spans if s.role != "other"]
        assert len(roles) == len(set(roles)) or "mean" in roles, description.text


def test_values_claimed_are_the_values_in_the_text() -> None:
    for claims, description, _ in TOLD:
        role = {k: n.value for k, n in roles_of(claims, description).items()}
        made = description.claims
        half = role.get("amplitude", role.get("span", 0.0) / 2.0)
        middle = role.get("center", role.get("mean"))
        low, high = role.get("low"), role.get("high")
        if half > 0.0 and middle is not None:
            low, high = middle - half, middle + half
        for claimed, read in ((made.low, low), (made.high, high), (made.mean, role.get("mean"))):
            assert agree(claimed, read), description.text
        assert made.resolution == role.get("resolution"), description.text


def test_values_claimed_are_close_to_the_truth() -> None:
    for claims, description, _ in TOLD:
        made = description.claims
        span = claims.high - claims.low  # type: ignore[operator]
        for name in ("low", "high", "mean"):
            claimed = getattr(made, name)
            if claimed is not None:
                assert abs(claimed - getattr(claims, name)) <= 0.016 * span, description.text


def test_periods_claimed_are_the_periods_in_the_text_and_near_the_truth() -> None:
    seen = 0
    for claims, description, _ in TOLD:
        role = roles_of(claims, description)
        read = [role[name].steps for name in ("period", "period2") if name in role]
        assert description.claims.periods == pytest.approx(tuple(read), rel=1e-9), description.text
        for stated, true in zip(description.claims.periods, claims.periods, strict=False):
            assert stated == pytest.approx(true, rel=0.0045), description.text
            seen += 1
    assert seen > 3000


def test_positions_claimed_are_the_positions_in_the_text() -> None:
    for claims, description, _ in TOLD:
        role = roles_of(claims, description)
        events = description.claims.events or ()
        placed = [e for e in events if e.tolerance == 0.02]
        read = []
        for name in ("position", "position2"):
            if name in role:
                number = role[name]
                steps = number.steps if number.unit != "percent" else None
                share = number.value / 100.0 if steps is None else steps / (claims.length - 1)
                read.append(share)
        assert [e.position for e in placed] == pytest.approx(read, abs=1e-9), description.text
        for event, true in zip(events, by_kind(claims.events or ()), strict=bool(events)):
            assert (event.kind, event.direction) == (true.kind, true.direction)
            assert abs(event.position - true.position) <= event.tolerance + 1e-9, description.text


def test_noise_claimed_is_the_noise_in_the_text() -> None:
    for claims, description, _ in TOLD:
        number = roles_of(claims, description).get("noise")
        if number is None:
            assert description.claims.noise_std is None
            continue
        span = claims.high - claims.low  # type: ignore[operator]
        read = number.value / 100.0 * span if number.unit == "percent" else number.value
        assert description.claims.noise_std == pytest.approx(read, rel=1e-6), description.text
        assert read == pytest.approx(claims.noise_std, rel=0.06)


def test_nothing_is_claimed_that_was_not_given() -> None:
    words = ("trend", "trend_shape", "periodic", "wave", "noise", "colour", "stationary")
    names = ("unit", "quantity", "device", "place", "interval", "length")
    for claims, description, _ in TOLD:
        for name in words:
            assert getattr(description.claims, name) in (None, getattr(claims, name))
        for name in names:
            assert getattr(description.claims, name) in ("", getattr(claims, name))
        check(description.claims)


def test_texts_are_whole() -> None:
    for _, description, _ in TOLD:
        text = description.text
        assert text.strip() == text
        assert not re.search(r"  |\{(?!\")| ,|\.\.\.\.|,,|\. \.", text), text
        assert len(text) < 700


def test_the_same_state_gives_the_same_description() -> None:
    assert described(50, seed=7) == described(50, seed=7)


def test_a_quarter_of_training_texts_follow_the_predefined_format() -> None:
    head = re.compile(r"((non-)?periodic )?([a-z ]+ )?data( with|,)", re.IGNORECASE)
    told = [d.text for _, d, split in TOLD if split == "train"]
    share = sum(head.match(t) is not None for t in told) / len(told)
    assert 0.2 < share < 0.32


def test_development_wordings_are_not_trained_on() -> None:
    seen: dict[tuple[str, str], set[str]] = {}
    for (feature, form, split), wordings in WORDINGS.items():
        texts = seen.setdefault((feature, split), set())
        texts.update(text for w in wordings for text in w.expanded())
        assert WORDINGS[feature, form, "train"], (feature, form)
    for feature, _ in seen:
        train = seen[feature, "train"]
        assert not train & seen.get((feature, "development"), set()), feature


def test_every_feature_has_forty_wordings_or_more() -> None:
    groups = {
        "trend": ("trend.some",),
        "no trend": ("trend.none",),
        "shape": tuple(f"shape.{s}" for s in TREND_SHAPES),
        "period": ("period.one",),
        "two periods": ("period.two",),
        "no period": ("period.none",),
        "range": ("range.both",),
        "mean": ("mean",),
        "noise": tuple(f"noise.{n}" for n in NOISE_LEVELS),
        "noise number": ("noise.number",),
        **{kind: (f"event.{kind}",) for kind in EVENT_KINDS},
        "no anomaly": ("event.none",),
        "stationary": ("stationary.yes", "stationary.no"),
        "resolution": ("resolution",),
        "sampling": ("sampling",),
        "subject": ("subject",),
    }
    for group, features in groups.items():
        texts = {
            text
            for feature in features
            for (name, _, _), wordings in WORDINGS.items()
            if name == feature
            for w in wordings
            for text in w.expanded()
        }
        assert len(texts) >= 40, (group, len(texts))


def test_every_wave_shape_has_words() -> None:
    assert all(set(words) == set(WAVES) for words in WAVE_WORDS.values())


def test_every_pair_wording_names_a_key() -> None:
    for (_, form, _), wordings in WORDINGS.items():
        for wording in wordings if form == "pair" else ():
            for text in wording.expanded():
                assert all(len(p.split(" = ")) == 2 for p in text.split(" & ")), text


def test_an_empty_claim_still_makes_a_text() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        description = phrase(Claims(), rng)
        assert description.text
        assert description.claims == Claims()


def test_claims_at_the_edge_of_sense_are_described() -> None:
    rng = np.random.default_rng(17)
    edges = (
        {"low": 3.0, "high": 3.0, "mean": 3.0},
        {"low": 0.0, "high": 1e-9, "mean": 0.0, "noise_std": 1e-12, "resolution": 1e-11},
        {"low": 1e6, "high": 1e6 + 0.01, "mean": None, "noise_std": 0.0},
        {"low": None, "mean": None},
        {"events": tuple(Event("spike", p) for p in (0.0, 0.2, 0.5, 0.99, 1.0))},
        {"interval": 4.1e6, "length": 64},
    )
    for edge in edges * 50:
        claims = dataclasses.replace(random_claims(rng), **edge)
        description = phrase(claims, rng)
        assert_spans_are_numbers(description, claims.interval)


def test_free_text_says_rhythms_that_the_finder_reads() -> None:
    """Every span is a number of the text, and the period's number is the period that is claimed."""
    rng = np.random.default_rng(17)
    counted = 0
    for _ in range(1500):
        claims = random_claims(rng)
        description = phrase(claims, rng, "free")
        found = {
            (n.start, n.end): n
            for n in find_numbers(description.text, claims.interval, claims.length)
        }
        roles = {s.role: found[s.start, s.end] for s in description.spans if s.role != "other"}
        if "period" in roles:
            (period, *_) = description.claims.periods
            assert roles["period"].steps == pytest.approx(period), description.text
            assert abs(period / claims.periods[0] - 1.0) <= 0.021, description.text
            counted += roles["period"].unit == "frequency"
    assert counted > 50


def test_free_wordings_say_nothing_that_is_held_out() -> None:
    for (feature, form, split), wordings in WORDINGS.items():
        if split == "later":
            texts = {text for w in wordings for text in w.expanded()}
            for held in ("development", "tuning"):
                for other in WORDINGS.get((feature, form, held), ()):
                    assert texts.isdisjoint(other.expanded()), feature


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(
        ValueError, match="split is 'test'; it must be one of train, tuning, development"
    ):
        phrase(Claims(), np.random.default_rng(0), "test")


def test_a_lone_brace_is_refused() -> None:
    with pytest.raises(ValueError, match="has a lone brace"):
        parse("values from {low to 5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8-step", "an"),
        ("18 h", "an"),
        ("11.5-hour", "an"),
        ("110-step", "a"),
        ("hourly", "an"),
        ("ultrasonic sensor", "an"),
        ("UV sensor", "a"),
        ("EEG electrode", "an"),
        ("university", "a"),
    ],
)
def test_articles_follow_the_spoken_word(text: str, expected: str) -> None:
    assert clauses.article(text).split()[0] == expected


def test_written_numbers_state_their_rounded_value() -> None:
    dice = numerals.Dice(np.random.default_rng(1))
    for value in (-5.0, 0.123456, 12_500.0, 3.2e-7, -4.56e11, 0.0, 7.0):
        for _ in range(50):
            text, stated = numerals.write(value, numerals.decimals_for(abs(value), 3), dice)
            assert [n.value for n in find_numbers(text)] == pytest.approx([stated])
            assert math.isclose(stated, value, rel_tol=0.01)
