"""Events told of in the plural, or without their kind, in words that the text expert knows."""

from __future__ import annotations

import pytest

from geng_edge import Condition, Generator
from geng_edge.claims_reader import read_claims
from geng_edge.event_words import one_by_one


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10 to 20 with occasional spikes", "10 to 20 with an occasional spike"),
        ("with spikes, no trend", "with a spike, no trend"),
        ("several short dips", "a short dip"),
        ("Three sharp dips.", "a sharp dip."),
        ("no trend and occasional spikes", "no trend and an occasional spike"),
        ("a few outliers", "a spike"),
        ("an occasional glitch", "an occasional spike"),
        ("an anomaly at step 100", "a spike at step 100"),
    ],
)
def test_several_events_and_events_of_no_kind_become_one(text: str, told: str) -> None:
    assert one_by_one(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "no spikes",
        "without any occasional spikes",
        "no large short spikes or random dips",
        "no anomalies and not an anomaly",
        "spikes at steps 100 and 300",
        "two spikes, one at noon and one at night",
        "a few dips a day",
        "with spikes every 20 steps",
        "an anomaly: the level shifts up at step 300",
        "a few anomalies, both of them dips",
        "the value spikes",
    ],
)
def test_what_is_denied_counted_out_or_recurs_stays(text: str) -> None:
    assert one_by_one(text) == text


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("temperature between 10 and 20 with occasional spikes", ["spike"]),
        ("voltage 220 to 240 V with three sharp dips", ["dip"]),
        ("pressure between 1 and 2 bar with frequent dropouts", ["dropout"]),
        ("values 0 to 1 with a glitch", ["spike"]),
        ("no anomalies, values 0 to 1", []),
    ],
)
def test_a_condition_claims_what_the_plural_tells_of(text: str, kinds: list[str]) -> None:
    generator = Generator.load()
    claims = read_claims(generator, Condition.from_text(text, generator=generator))
    assert [event.kind for event in claims.events or ()] == kinds
    assert claims.events is not None
