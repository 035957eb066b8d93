"""The data of the package keeps its own rules, and the development set is never trained on."""

from __future__ import annotations

import numpy as np
import pytest

from geng_cog.evaluate.rubric import judge, share, task_of
from geng_cog.evaluate.sets import draw_seeds, lines, tasks
from geng_cog.knowledge import SPLITS, scenarios
from geng_cog.plausible import faults
from geng_cog.seeds import seed_pair
from geng_cog.selftrain.rounds import seed_lessons
from geng_cog.statement import parse
from geng_edge.claims import WAVES


def test_there_are_about_300_scenarios_and_1000_seed_pairs() -> None:
    assert 280 <= len(scenarios("train")) <= 360
    assert 950 <= len(draw_seeds()) <= 1150
    assert len(tasks("development")) >= 150


@pytest.mark.parametrize("split", SPLITS)
def test_scenarios_stay_within_the_limits_of_their_quantity(split: str) -> None:
    for s in scenarios(split):
        assert s.kind.floor <= s.low[0] <= s.low[1], s.id
        assert s.low[1] + s.span[0] <= s.kind.ceiling, s.id
        assert 0.0 < s.span[0] <= s.span[1], s.id
        assert s.intervals, s.id
        assert min(s.intervals) > 0.0, s.id
        assert set(s.habit.waves) <= set(WAVES), s.id


@pytest.mark.parametrize("split", ["tuning", "development"])
def test_no_place_of_the_sets_is_in_a_seed(split: str) -> None:
    trained = {s.place for s in scenarios("train")}
    assert not trained & {s.place for s in scenarios(split)}
    asked = {p.task.lower() for p in draw_seeds()}
    assert not asked & {t.text.lower() for t in tasks(split)}


def test_tuning_and_development_set_share_no_place() -> None:
    assert not {s.place for s in scenarios("tuning")} & {s.place for s in scenarios("development")}


@pytest.mark.parametrize("split", ["tuning", "development"])
def test_the_set_in_the_package_is_the_one_that_is_drawn(split: str) -> None:
    again = lines(split).splitlines()
    assert len(again) == len(tasks(split))
    assert [t.id for t in tasks(split)] == [eval_id(line) for line in again]


def eval_id(line: str) -> str:
    import json

    return str(json.loads(line)["id"])


def test_seed_statements_parse_back_and_are_possible() -> None:
    for pair in draw_seeds():
        assert parse(pair.statement.text()) == pair.statement
        assert faults(pair.statement) == [], pair.task


def test_the_rubric_finds_the_truth_right_and_another_scenario_wrong() -> None:
    rng = np.random.default_rng(1)
    pairs = [seed_pair([s], rng, held=True) for s in scenarios("development")]
    own = [judge(p.statement, task_of(p, "own")) for p in pairs]
    for name in ("interval", "span", "quantity", "range", "period", "trend", "anomaly"):
        assert share(own)[name] == 1.0, name
    other = [
        judge(p.statement, task_of(q, "other"))
        for p, q in zip(pairs, pairs[7:] + pairs[:7], strict=True)
    ]
    assert share(other)["quantity"] < 0.2
    assert share(other)["range"] < 0.3


def test_an_answer_that_does_not_parse_has_every_claim_wrong() -> None:
    assert share([judge(None, tasks("development")[0])])["all"] == 0.0


def test_the_seed_pairs_of_the_package_are_the_ones_that_are_drawn() -> None:
    drawn = [(p.task, p.statement.text()) for p in draw_seeds()]
    assert [(x.task, x.text) for x in seed_lessons()] == drawn
