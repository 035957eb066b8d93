"""What a task says in words is read: quantities, places, trend and anomalies."""

from __future__ import annotations

import pytest

from geng_cog.evaluate.sets import tasks
from geng_cog.features import Asked, read_asked
from geng_cog.grammar.openings import places
from geng_cog.named import named_channels


@pytest.mark.parametrize(
    ("task", "trend", "anomalies"),
    [
        ("wind speed on a hill", None, ()),
        ("CO2, slowly rising, with a dip near the end", "up", (("dip", -1, 0.9),)),
        ("pressure with a downward level shift halfway through", None, (("shift", -1, 0.5),)),
        ("power, jumping to a higher level at the start", None, (("shift", 1, 0.05),)),
        ("humidity that declines slowly", "down", ()),
        ("flow with a sensor dropout and a spike late", None,
         (("dropout", -1, None), ("spike", 1, 0.8))),
        ("level with a spike at 30 % of the week", None, (("spike", 1, 0.3),)),
        ("temperature without any anomaly", None, ()),
        ("flow for one week, without dropouts", None, ()),
        ("flow, no dips, spikes or outages", None, ()),
        ("flow, free of dropouts", None, ()),
        ("level with no spikes but a dip near the end", None, (("dip", -1, 0.9),)),
        ("level with no spikes and a dip near the end", None, (("dip", -1, 0.9),)),
        ("level without anomalies except a dip late", None, (("dip", -1, 0.8),)),
        ("temperature with no upward trend", "none", ()),
        ("temperature with no spikes or upward trend", "none", ()),
        ("temperature, not rising", "none", ()),
        ("temperature, not rising but falling", "down", ()),
        ("pressure not falling below 5 bar", None, ()),
        ("CO2 in a climbing gym", None, ()),
        ("humidity in a growing tent", None, ()),
        ("humidity of tomatoes growing in a greenhouse", None, ()),
        ("temperature of a falling film evaporator", None, ()),
        ("voltage of a dip switch", None, ()),
        ("temperature of a sheep dip tank", None, ()),
        ("voltage of a stationary battery, slowly falling", "down", ()),
        ("CO2, growing", "up", ()),
        ("CO2 climbing from 400 to 1200 ppm", "up", ()),
        ("rising temperature in an office", "up", ()),
        ("humidity, rising in the afternoon", "up", ()),
        ("pressure in a steady decline", "down", ()),
        ("level that goes up over the week", "up", ()),
        ("level steadily increases", "up", ()),
        ("power with two spikes", None, (("spike", 1, None), ("spike", 1, None))),
        ("power with three short dips near the end", None, (("dip", -1, 0.87), ("dip", -1, 0.93))),
        ("power with two spikes, one at the start and one at the end", None,
         (("spike", 1, 0.05), ("spike", 1, 0.95))),
        ("power with two spikes at 30 %", None, (("spike", 1, 0.3), ("spike", 1, None))),
        ("power with two spikes and a dip late", None, (("spike", 1, None), ("dip", -1, 0.8))),
    ],
)  # fmt: skip
def test_trend_and_anomalies_are_read_as_asked(
    task: str, trend: str | None, anomalies: tuple[tuple[str, int, float | None], ...]
) -> None:
    assert read_asked(task) == Asked(trend, anomalies)


@pytest.mark.parametrize("split", ["tuning", "development"])
def test_what_the_sets_ask_for_is_read(split: str) -> None:
    for task in tasks(split):
        found = read_asked(task.text).anomalies
        wanted = task.channels[0].anomalies
        assert [kind for kind, _, _ in found] == [kind for kind, _, _ in wanted], task.text


def labels(task: str) -> list[set[str]]:
    return [{label.partition(" [")[0] for label in channel} for channel in named_channels(task)]


def test_quantities_are_read_by_their_longest_names() -> None:
    assert labels("soil temperature in a golf green") == [{"soil temperature"}]
    assert labels("humidity sensor in a wardrobe") == [{"relative humidity"}]
    assert "wind speed" in labels("anemometer on a pier")[0]
    assert labels("a thing that nobody knows") == [set()]


def test_joined_names_are_channels_and_a_device_s_own_name_is_none() -> None:
    assert len(labels("temperature and humidity sensor in a cellar")) == 2
    assert len(labels("wind speed, air pressure and CO2 on a ship")) == 3
    assert len(labels("relative humidity from a humidity sensor in a gym")) == 1


def test_a_known_place_narrows_what_is_measured_there_and_a_namesake_does_not() -> None:
    assert labels("temperature sensor in a family home") == [{"air temperature"}]
    assert len(labels("temperature probe in a holiday family homestead")[0]) > 1


def test_the_reasoning_may_speak_of_places_of_the_task_only() -> None:
    assert places("temperature sensor in a family home, one week, every 10 minutes") == (
        "in a family home",
    )
    assert places("wind speed with a spike in the middle") == ()
