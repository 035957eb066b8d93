"""Two events of two kinds: the latent holds them by kind, whichever of them a text names first."""

from __future__ import annotations

import numpy as np
import pytest

from geng_edge.analysis.analyser import analyse
from geng_edge.claims import Claims, Event, by_kind
from geng_export.data import whole
from geng_export.data.answers import FIELDS, answers_of
from geng_export.data.clauses import Writer
from geng_export.data.dataset import Mixture, development_descriptions, draw_pair
from geng_export.data.numerals import Dice, Number
from geng_export.data.phrases import phrase
from geng_export.data.whole import Whole
from geng_export.models import layout as at
from geng_export.models.layout import Layout
from geng_export.train.real import slots_by_kind

ONLY_PAIRS = Mixture(abstract=1.0, real=0.0, tasks=(0.0, 0.0, 0.5, 0.5), two_kinds=1.0)
CLAIMS = Claims(events=(Event("spike", 0.75), Event("dropout", 0.25)), interval=60.0, unit="V")


def kinds_of(events: tuple[Event, ...] | None) -> list[str]:
    return [e.kind for e in events or ()]


def slots(row: np.ndarray) -> list[str]:
    found = [row[i * at.EVENT_WIDTH :][: len(at.EVENT_KINDS)] for i in range(at.EVENTS_PER_SERIES)]
    return [at.EVENT_KINDS[int(one.argmax())] for one in found]


def test_a_composed_pair_is_seen_and_stands_by_kind() -> None:
    composed, seen = 0, 0
    for i in range(60):
        pair = draw_pair(np.random.default_rng((3, i)), Layout(), ONLY_PAIRS)
        assert pair.series is not None
        held = slots(pair.structure[at.EVENTS])
        if "none" in held:
            continue
        composed += 1
        assert len(set(held)) == 2
        assert held == sorted(held, key=at.EVENT_KINDS.index)
        seen += set(held) <= set(kinds_of(analyse(pair.series, pair.interval).events))
    assert composed > 30
    assert seen >= 0.95 * composed


def test_a_share_of_none_draws_what_was_drawn_before() -> None:
    rng = np.random.default_rng(5)
    plain = [draw_pair(rng, Layout(), Mixture()) for _ in range(60)]
    assert all(len(set(kinds_of(p.claims.events))) < 2 for p in plain)


def test_a_text_names_either_first_and_says_the_same() -> None:
    rng = np.random.default_rng(1)
    first = set()
    for _ in range(200):
        told = phrase(CLAIMS, rng)
        if kinds_of(told.claims.events) != ["spike", "dropout"]:
            continue
        roles = [s.role for s in told.spans if s.role.startswith("position")]
        if sorted(roles) == ["position", "position2"]:
            first.add(roles[0])
            number = {s.role: told.text[s.start : s.end] for s in told.spans}
            if {number["position"], number["position2"]} == {"75", "25"}:
                assert number["position"] == "75", told.text
    assert first == {"position", "position2"}
    turned = phrase(
        Claims(events=(CLAIMS.events or ())[::-1], interval=60.0, unit="V"),
        np.random.default_rng(7),
    )
    assert turned == phrase(CLAIMS, np.random.default_rng(7))


def test_a_text_in_one_piece_is_true_in_either_order(monkeypatch: pytest.MonkeyPatch) -> None:
    text = Whole.from_dict(
        {"text": "silent{when}, and a bang{when}", "events": ["dropout", "spike"]}
    )
    assert text.is_true_of(CLAIMS)
    monkeypatch.setattr(whole, "alike", lambda: ((text,),))
    for seed in range(40):
        writer = Writer(CLAIMS, Dice(np.random.default_rng(seed)), "free")
        roles = [t.role for t in whole.write(writer) if isinstance(t, Number)]
        placed = [r for r in roles if r.startswith("position")]
        assert placed in ([], ["position2"], ["position"], ["position2", "position"])
        made = writer.claims_made().events or ()
        assert kinds_of(made) == ["spike", "dropout"]
        for event, true in zip(made, CLAIMS.events or (), strict=True):
            assert abs(event.position - true.position) <= event.tolerance + 0.01


def test_the_answers_place_them_by_kind() -> None:
    answers = dict(zip(FIELDS, answers_of(CLAIMS), strict=True))
    said = {name: FIELDS[name][answers[name]] for name in FIELDS}
    assert (said["spike"], said["dropout"], said["dip"]) == ("yes", "yes", "no")
    assert (said["position"], said["position2"]) == ("0.8", "0.2")


def test_events_go_by_kind_and_those_of_a_kind_as_they_come() -> None:
    one, two = Event("dip", 0.6), Event("dip", 0.2)
    up, down = Event("shift", 0.7, 1), Event("shift", 0.3, -1)
    assert by_kind((one, two)) == (one, two)
    assert by_kind((down, up, one)) == (one, up, down)


def test_what_the_encoder_proposes_is_put_in_order() -> None:
    structures = np.zeros((4, Layout().tokens, Layout().width), np.float32)
    for i, pair in enumerate(
        (("dropout", "spike"), ("spike", "dip"), ("dip", "none"), ("none", "dip"))
    ):
        for slot, kind in enumerate(pair):
            first = slot * at.EVENT_WIDTH
            structures[i, at.EVENTS, first + at.EVENT_KINDS.index(kind)] = 1.0
            structures[i, at.EVENTS, first + at.EVENT_POSITION] = 0.1 + slot
    ordered = slots_by_kind(structures)
    assert [slots(s[at.EVENTS]) for s in ordered] == [
        ["spike", "dropout"], ["spike", "dip"], ["dip", "none"], ["none", "dip"],
    ]  # fmt: skip
    assert ordered[0, at.EVENTS, at.EVENT_POSITION] == np.float32(1.1)
    assert np.array_equal(ordered[1:], structures[1:])


def test_the_descriptions_that_measure_have_two_kinds_each() -> None:
    asked = development_descriptions(8, split="two-kinds")
    assert {one.task for one in asked} == {3, 4}
    assert all(len(set(kinds_of(one.claims.events))) == 2 for one in asked)
