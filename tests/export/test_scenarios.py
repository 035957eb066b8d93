"""Scenarios: the schema, and that every number is physically possible."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from geng_edge.claims import Claims, Event
from geng_export.data.phrases import phrase
from geng_export.data.scenarios import SCENARIOS, Scenario, read_scenarios
from support.spans import assert_spans_are_numbers

WHOLE = """
[habits.room]
waves = ["sine"]
trend = [1, 0, 0]
noise = [0.01, 0.02]
colour = 0.5
events = { none = 1, spike = 0, dip = 0, shift = 0, dropout = 0 }

[home.bedroom]
quantity = "air temperature"
unit = "degC"
device = "thermometer"
place = "bedroom"
low = [15, 20]
span = [1, 5]
floor = -10
ceiling = 45
intervals = [600]
periods = [86400]
resolutions = [0.1]
habit = "room"
"""


def read(tmp_path: Path, text: str) -> tuple[Scenario, ...]:
    path = tmp_path / "scenarios.toml"
    path.write_text(text, encoding="utf-8")
    return read_scenarios(path)


def test_there_are_enough_scenarios_in_enough_domains() -> None:
    domains = Counter(s.domain for s in SCENARIOS)
    assert len(SCENARIOS) >= 300
    assert len(domains) >= 12
    assert min(domains.values()) >= 10


def test_scenarios_are_unique() -> None:
    assert len({s.id for s in SCENARIOS}) == len(SCENARIOS)
    assert len({(s.quantity, s.device, s.place) for s in SCENARIOS}) == len(SCENARIOS)


def test_an_eighth_of_every_domain_is_kept_for_development() -> None:
    kept = Counter(s.domain for s in SCENARIOS if s.split == "development")
    assert 0.1 < sum(kept.values()) / len(SCENARIOS) < 0.14
    assert set(kept) == {s.domain for s in SCENARIOS}


def test_a_window_can_always_be_drawn_within_the_limits() -> None:
    for s in SCENARIOS:
        if s.floor is not None:
            assert s.floor <= s.low[0], s.id
        if s.ceiling is not None:
            assert s.low[1] + s.span[0] <= s.ceiling, s.id
            if s.floor is not None:
                assert s.span[1] <= s.ceiling - s.floor, s.id


def test_every_interval_of_a_periodic_quantity_shows_one_of_its_periods() -> None:
    for s in SCENARIOS:
        for interval in s.intervals:
            steps = [period / interval for period in s.periods]
            assert not steps or any(8.0 <= n <= 170.0 for n in steps), (s.id, interval)
        for period in s.periods:
            assert any(8.0 <= period / i <= 170.0 for i in s.intervals), (s.id, period)


@pytest.mark.parametrize(
    ("quantity", "unit", "least", "most"),
    [
        ("body temperature", "degC", 33.0, 42.5),
        ("CO2 concentration", "ppm", 250.0, 6000.0),
        ("grid frequency", "Hz", 47.0, 63.0),
        ("relative humidity", "%", 0.0, 100.0),
        ("electrocardiogram", "mV", -5.0, 5.0),
        ("oxygen saturation", "%", 0.0, 150.0),
        ("state of charge", "%", 0.0, 100.0),
        ("pH value", "pH", 0.0, 14.0),
    ],
)
def test_well_known_quantities_have_their_limits(
    quantity: str, unit: str, least: float, most: float
) -> None:
    found = [s for s in SCENARIOS if s.quantity == quantity and s.unit == unit]
    assert found
    for s in found:
        assert s.floor is not None
        assert s.ceiling is not None
        assert least <= s.floor
        assert s.ceiling <= most


def test_every_unit_and_name_can_be_described_without_stray_numbers() -> None:
    rng = np.random.default_rng(11)
    for s in SCENARIOS:
        high = s.low[0] + s.span[0]
        claims = Claims(
            trend="up",
            low=s.low[0],
            high=high,
            mean=s.low[0] + 0.4 * s.span[0],
            noise_std=s.noise[0] * s.span[0],
            periodic=True if s.periods else None,
            periods=(s.periods[0] / s.intervals[0],) if s.periods else (),
            events=(Event("dip", 0.3),),
            interval=s.intervals[0],
            resolution=s.resolutions[0] if s.resolutions else None,
            unit=s.unit,
            quantity=s.quantity,
            device=s.device,
            place=s.place,
        )
        for split in ("train", "train", "train", "development"):
            description = phrase(claims, rng, split)
            assert_spans_are_numbers(description, claims.interval)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    (scenario,) = read(tmp_path, WHOLE)
    assert (scenario.id, scenario.split, scenario.low) == ("home/bedroom", "train", (15.0, 20.0))
    assert scenario.waves == ("sine",)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("low = [15, 20]\n", "", "home/bedroom: low is missing"),
        ("[15, 20]", "[-15, 20]", "low is -15.0 to 20.0; it must rise and stay above the floor"),
        ("[1, 5]", "[0, 5]", "span is 0.0 to 5.0; it must be positive"),
        ("[1, 5]", "[30, 31]", "low .* span is 50.0; it must be at most the ceiling, 45"),
        ("[600]", "[0]", "intervals are .*; they must be positive"),
        ("[86400]", "[60]", "period 60.0 s is .* steps; one of them must be 8 to 200"),
        ('["sine"]', '["wobble"]', "wave is 'wobble'; it must be one of sine"),
        ("[1, 0, 0]", "[0, 0, 0]", "trend is .*; weights must not be negative, nor all 0"),
        ("[0.01, 0.02]", "[0.02, 0.01]", "noise is .*; it must rise within 0 to 0.5"),
        ("colour = 0.5", "colour = 1.5", "colour is 1.5; it must be 0 to 1"),
        ("dropout = 0", "bang = 0", "events are .*; they must weigh none, spike"),
        ("[0.1]", "[0.5]", "resolutions are .*; they must leave 5 levels or more"),
        ('habit = "room"', 'habit = "cave"', "habit is 'cave'; it must be one of room"),
        ('habit = "room"', 'habit = "room"\nsplit = "test"', "split is 'test'; it must be one of"),
        ('habit = "room"', 'habit = "room"\ncolor = 1', "color is not a key of a scenario"),
    ],
)
def test_a_scenario_that_contradicts_itself_is_refused(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert WHOLE.count(old) == 1
    with pytest.raises(
        ValueError, match=rf"scenarios\.toml: home/bedroom: .*{sentence}|{sentence}"
    ):
        read(tmp_path, WHOLE.replace(old, new))
