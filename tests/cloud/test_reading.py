"""What a task says in words is read: quantities, places, trend and anomalies."""

from __future__ import annotations

import pytest

from geng_cog.evaluate.sets import tasks
from geng_cog.features import Asked, read_asked
from geng_cog.following import followed
from geng_cog.grammar.openings import places
from geng_cog.limits import read_limits, read_units
from geng_cog.named import named_channels, read_quantities


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
        ("power outage detector in a cellar", None, ()),
        ("current of a spikes counter", None, ()),
        ("voltage at a drop-out relay, with a dip late", None, (("dip", -1, 0.8),)),
        ("power outage monitoring of a cellar", None, ()),
        ("power with outages, meter in a cellar", None, (("dropout", -1, None),)),
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
        ("temperature with an anomaly in the middle", None, (("spike", 1, 0.5),)),
        ("sea surface temperature anomaly", None, ()),
        ("power with a compressor fault near the end", None, (("shift", -1, 0.9),)),
        ("power with a ground fault detector", None, ()),
        ("level, sensor malfunction at 80 %", None, (("dropout", -1, 0.8),)),
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


def test_pressure_is_that_of_what_is_named_beside_it_or_of_the_place() -> None:
    assert labels("temperature, humidity and pressure in an office")[2] == {"air pressure"}
    assert labels("temperature and pressure at a weather station")[1] == {"air pressure"}
    assert labels("heart rate and pressure of a patient")[1] == {"blood pressure"}
    assert labels("pressure and flow in a pipe")[0] == {"pressure"}
    assert labels("pressure in an office") == [{"air pressure"}]
    assert "pressure" in labels("pressure on a paint shop compressor")[0]


def test_joined_names_keep_to_the_place_and_to_one_another() -> None:
    assert labels("level and temperature of a river") == [{"water level"}, {"water temperature"}]
    assert labels("CPU, memory and traffic of a server")[2] == {"network traffic"}
    assert "machine temperature" not in labels("temperature and humidity in a hallway")[0]
    assert labels("temperature and flow in a ventilation duct") == [
        {"air temperature"},
        {"volume flow"},
    ]


def test_five_joined_names_are_five_channels() -> None:
    found = labels("temperature, humidity, CO2, light and noise in a classroom")
    assert found[2:] == [{"CO2 concentration"}, {"illuminance"}, {"sound level"}]
    assert labels("heart rate and SpO2 of a patient") == [{"heart rate"}, {"oxygen saturation"}]


def test_a_level_shift_and_a_low_noise_are_no_quantities() -> None:
    assert labels("humidity with an upward shift of the level") == [{"relative humidity"}]
    assert labels("CO2 in a gym, low noise") == [{"CO2 concentration"}]


@pytest.mark.parametrize(
    ("task", "missing"),
    [
        ("heart rate and frobnication of a patient", ["frobnication"]),
        ("frobnication and heart rate of a patient", ["frobnication"]),
        ("temperature, frobnication and CO2 in a laboratory", ["frobnication"]),
        ("wind speed and wind direction on a pier", ["wind direction"]),
        ("living room and kitchen temperature", []),
        ("gym, CO2 and humidity, one week and every 10 minutes", []),
        ("temperature and humidity with a spike and a dip", []),
        ("temperature sensor, air temperature", []),
    ],
)
def test_what_is_asked_for_and_not_known_is_told(task: str, missing: list[str]) -> None:
    assert [q.said for q in read_quantities(task) if not q.fitting] == missing


@pytest.mark.parametrize("split", ["tuning", "development"])
def test_the_sets_ask_for_nothing_that_is_unknown_and_for_no_limits(split: str) -> None:
    for task in tasks(split):
        assert all(q.fitting for q in read_quantities(task.text)), task.text
        assert read_limits(task.text) == (), task.text
        assert read_units(task.text) == (), task.text


@pytest.mark.parametrize(
    ("task", "low", "high", "units"),
    [
        ("temperature between 15 and 25 degC in an office", 15.0, 25.0, ("degC",)),
        ("temperature between 15 and 25 for a week", 15.0, 25.0, None),
        ("temperature from 59 to 77 \N{DEGREE SIGN}F", 59.0, 77.0, ("degF",)),
        ("office, 15\N{EN DASH}25 degrees Celsius", 15.0, 25.0, ("degC",)),
        ("freezer at -20 to -15 degC", -20.0, -15.0, ("degC",)),
        ("humidity (40-60%) in an office", 40.0, 60.0, ("%",)),
        ("CO2 between 400 and 2,000 ppm", 400.0, 2000.0, ("ppm",)),
        ("temperature around 20 plus or minus 2 degC", 18.0, 22.0, ("degC",)),
        ("20 degC \N{PLUS-MINUS SIGN} 2 K in an office", 18.0, 22.0, ("degC",)),
        ("sorters with between 3 and 5 widgets", 3.0, 5.0, ()),
    ],
)
def test_limits_of_values_are_read_as_stated(
    task: str, low: float, high: float, units: tuple[str, ...] | None
) -> None:
    assert [(x.low, x.high, x.units) for x in read_limits(task)] == [(low, high, units)]


@pytest.mark.parametrize(
    "task",
    [
        "temperature every 5 to 10 minutes", "power from 9 to 17 h", "price between 2019 and 2021",
        "light between 9 am and 5 pm", "a spike at 30 to 40 % of the week", "noise in 2 to 3 rooms",
        "PM2.5-10 monitor", "temperature from Monday to Friday",
    ],
)  # fmt: skip
def test_times_places_and_counts_are_no_limits(task: str) -> None:
    assert read_limits(task) == ()


def test_units_that_values_are_wanted_in_are_read() -> None:
    assert read_units("temperature in degrees Fahrenheit, one week") == (
        ("degrees Fahrenheit", ("degF",)),
    )
    assert read_units("pressure (hPa) of a pump") == (("hPa", ("hPa",)),)
    assert read_units("temperature in a bar") == ()


def test_limits_are_of_the_quantity_named_before_them_and_choose_among_its_kinds() -> None:
    channels, limits = followed("temperature (15-25 degC) and humidity (40-60 %) in an office")
    assert [x and (x.low, x.high) for x in limits] == [(15.0, 25.0), (40.0, 60.0)]
    assert channels[1] == {"relative humidity [%]"}
    assert followed("pressure between 990 and 1010 hPa")[0] == ({"air pressure [hPa]"},)
    assert followed("temperature between 400 and 500 degC")[0] == ({"process temperature [degC]"},)
    assert followed("relative humidity between 40 and 140 %")[1] == (None,)


def test_the_reasoning_may_speak_of_places_of_the_task_only() -> None:
    assert places("temperature sensor in a family home, one week, every 10 minutes") == (
        "in a family home",
    )
    assert places("wind speed with a spike in the middle") == ()
