"""The bench for a board that is not here: what it estimates, and how wrong it says that is."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from geng_edge import Generator, profiles
from geng_edge.bench import forecast
from geng_edge.bench.roofline import Machine, estimate
from geng_edge.bench.work import Shape
from support.benches import DISTILLED, FAST, case
from support.commands import run


@pytest.mark.parametrize("name", profiles.names())
def test_an_estimate_is_a_range_that_grows_with_the_work(name: str) -> None:
    machine = Machine.of(profiles.load(name))
    shape = Shape.of(Generator.load(threads=1).model.metadata)
    plain = estimate(machine, shape, case(), 22)
    assert 0 < plain.step[0] < plain.step[1] < math.inf
    assert plain.sample[0] > 8 * plain.step[0]
    more = estimate(machine, shape, case(batch=4), 22)
    assert more.step[0] > 2 * plain.step[0]
    shared = estimate(machine, shape, case(batch=4, threads=4), 22)
    assert shared.step[1] < more.step[1]
    unguided = estimate(machine, shape, case(guidance=0.0, batch=4), 22)
    assert unguided.step[1] < more.step[1]


def test_weights_that_outgrow_the_caches_are_bound_by_memory() -> None:
    slow = Machine("x", 4, 1e9, (1e12, 2e12), (1e11, 2e11), cache=2**20, reading=1e8)
    shape = Shape(10, 32, 256, 6, 4, 416, 500, 247)
    made = estimate(slow, shape, case(guidance=0.0), 22)
    assert made.bound == "memory"
    assert made.step[0] == pytest.approx(shape.block_weights / 1e8)
    exact = estimate(slow, shape, case(guidance=0.0, precision="fp32"), 22)
    assert exact.step[0] == pytest.approx(4 * made.step[0])


def test_a_forecast_is_of_what_sample_does(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["bench", "--model", DISTILLED, "--profile", "rpi4", *FAST, "--precision", "int8"]
    assert run(*command, "--output", "json") == 0
    made = json.loads(capsys.readouterr().out)
    assert [(each["kind"], each["solver"], each["guidance"]) for each in made] == [
        ("estimate", "consistency", 0.0), ("check", "consistency", 0.0),
    ]  # fmt: skip


def test_a_forecast_is_labelled_and_says_how_wrong_it_is_here(
    tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bench", "--model", tiny, "--profile", "rpi4", "--steps", 4, "--threads", 1]
    assert run(*command, "--output", "json") == 0
    made = json.loads(capsys.readouterr().out)
    assert [each["kind"] for each in made] == ["estimate", "check", "check"]
    assert made[0]["board"] == "rpi4"
    assert "measured_step_ms" not in made[0]
    for each in made[1:]:
        assert each["board"] == "here"
        error = each["step_ms"] / each["measured_step_ms"] - 1
        assert each["step_error_percent"] == pytest.approx(100 * error)
    assert run(*command) == 0
    text = capsys.readouterr().out
    assert "step ms, estimate" in text
    assert "error" in text
    assert forecast.ESTIMATE in text
