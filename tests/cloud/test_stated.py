"""What a task states of time is read, in the many ways in which people state it."""

from __future__ import annotations

import pytest

from geng_cog.durations import duration_seconds, duration_text
from geng_cog.stated import Stated, read_stated
from geng_edge.errors import ArgumentError


@pytest.mark.parametrize(
    ("task", "span", "interval"),
    [
        ("temperature sensor in a family home, one week, every 10 minutes", 604800.0, 600.0),
        ("Synthesize the temperature sensor in a family home for one week", 604800.0, None),
        ("humidity over 3 days at 5 minute intervals", 259200.0, 300.0),
        ("a week of power data, hourly", 604800.0, 3600.0),
        ("vibration of a bearing, 10 seconds at 200 Hz", 10.0, 0.005),
        ("vibration, 10 seconds at 200 Hz rotor speed", 10.0, None),
        ("mains voltage, 2 seconds at 50 Hz", 2.0, None),
        ("SpO2 of a patient overnight", 43200.0, None),
        ("overnight temperature for one week", 604800.0, None),
        ("CO2 in a classroom on a school day", 86400.0, None),
        ("CO2 that peaks during the working day, for one week", 604800.0, None),
        ("power for a couple of days, every 10m", 172800.0, 600.0),
        ("2 samples per minute for 6 hours", 21600.0, 30.0),
        ("ECG at 250 Hz sampling for 10 seconds", 10.0, 0.004),
        ("wind speed", None, None),
        ("CO2 over the weekend with 15-min resolution", 172800.0, 900.0),
        ("1,008 readings every 10 minutes", 604800.0, 600.0),
        ("grid frequency 50 Hz for half an hour, one reading per second", 1800.0, 1.0),
        ("requests per second on a server for 1 day", 86400.0, None),
        ("electricity price at a day-ahead market, six weeks", 3628800.0, None),
        ("power with a short dip late and a spike", None, None),
    ],
)
def test_times_are_read_as_stated(task: str, span: float | None, interval: float | None) -> None:
    assert read_stated(task) == Stated(span, interval)


@pytest.mark.parametrize(
    ("task", "span"),
    [
        ("temperature in a second floor flat for one week", 604800.0),
        ("temperature in a second floor flat, one week", 604800.0),
        ("ECG for one second", 1.0),
        ("heart rate of a 30 year old patient for 8 hours", 28800.0),
        ("heart rate of a 30 year old patient, 8 hours", 28800.0),
        ("24-hour diner kitchen temperature for one week", 604800.0),
        ("temperature in a 24-hour diner, one week", 604800.0),
        ("24-hour record of heart rate", 86400.0),
        ("12 hour shift plant power for a week", 604800.0),
        ("heart rate of a nurse during a 12-hour shift", 43200.0),
        ("temperature with a period of 6 hours for 2 days", 172800.0),
        ("temperature over a period of 6 hours", 21600.0),
        ("temperature of a 3D printer nozzle, 2 hours", 7200.0),
        ("heart rate for 2 hours running", 7200.0),
        ("level for us over the past week", 604800.0),
        ("temperature, 2 years, with a spike a quarter of the way through", 63072000.0),
        ("30 day moving average of temperature", None),
    ],
)
def test_a_duration_of_something_else_is_no_span(task: str, span: float | None) -> None:
    assert read_stated(task) == Stated(span, None)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("half an hour", 1800.0),
        ("half hour", 1800.0),
        ("1/2 hour", 1800.0),
        ("quarter of an hour", 900.0),
        ("three quarters of an hour", 2700.0),
        ("twenty-four hours", 86400.0),
        ("forty-eight hours", 172800.0),
        ("twenty five minutes", 1500.0),
        ("a hundred and four days", 8985600.0),
        ("1,5 hours", 5400.0),
        ("1,500 s", 1500.0),
        ("0,125 h", 450.0),
        ("1 1/2 hours", 5400.0),
        ("1½ hours", 5400.0),
        ("one and a half hours", 5400.0),
        ("an hour and a half", 5400.0),
        ("1 h 30 min", 5400.0),
        ("1 day 2 hours 30 minutes", 95400.0),
        ("2 weeks and 3 days", 1468800.0),
        ("two full weeks", 1209600.0),
        ("1 week 10 minutes", 604800.0),
        ("2-3 days", 259200.0),
    ],
)
def test_amounts_are_read_in_figures_and_words(said: str, seconds: float) -> None:
    assert read_stated(f"temperature in an office for {said}") == Stated(seconds, None)
    assert read_stated(f"temperature in an office, {said}") == Stated(seconds, None)


@pytest.mark.parametrize(
    ("task", "span", "interval"),
    [
        ("temperature every half hour for 3 days", 259200.0, 1800.0),
        ("temperature every 1/2 hour for 3 days", 259200.0, 1800.0),
        ("temperature every quarter of an hour for a week", 604800.0, 900.0),
        ("temperature, one reading every quarter hour, a week", 604800.0, 900.0),
        ("half-hourly power for a week", 604800.0, 1800.0),
        ("sales every quarter for 9 years", 283824000.0, 7776000.0),
        ("temperature every 1 h 30 min for 10 days", 864000.0, 5400.0),
        ("temperature every second for one hour", 3600.0, 1.0),
        ("temperature every second day for one year", 31536000.0, 172800.0),
        ("temperature every 5 to 10 minutes for one week", 604800.0, 300.0),
        ("temperature every 5-10 minutes for one week", 604800.0, 300.0),
        ("temperature in an office measured twice a day for a month", 2592000.0, 43200.0),
        ("humidity for 2 months, 4 times per hour", 5184000.0, 900.0),
        ("ammonia in a barn, cows milked twice a day, for a month", 2592000.0, None),
        ("5-minute averages of temperature in an office for a week", 604800.0, 300.0),
        ("10-minute average wind speed for 1 hour", 3600.0, None),
        ("temperature in a shop open every day, one week, every 10 minutes", 604800.0, 600.0),
        ("compressor that starts every 15 minutes, power, one day", 86400.0, None),
        ("temperature that rises over time every 10 minutes", None, 600.0),
        ("daily temperature for 2 years", 63072000.0, 86400.0),
        ("temperature for 2 years, weekly", 63072000.0, 604800.0),
        ("daily record of temperature", 86400.0, None),
        ("daily temperature for 3 days", 259200.0, None),
        ("temperature with a daily cycle for 2 weeks", 1209600.0, None),
        ("temperature with daily and weekly cycles for 4 weeks", 2419200.0, None),
        ("10.000 samples every 1 s", 10000.0, 1.0),
        ("10 000 samples every 1 s", 10000.0, 1.0),
        ("1000 samples at 10 Hz", 100.0, 0.1),
        ("vibration acceleration of a motor for 2 s at 10 kHz", 2.0, 1e-4),
        ("ultrasound for 1 s at 1 MHz", 1.0, 1e-6),
        ("motor current at 50 Hz sampled at 1 kHz for 2 s", 2.0, 1e-3),
        ("motor current at 50 Hz, 2,5 kHz sampling, for 2 s", 2.0, 4e-4),
        ("motor current at 50 Hz, inverter at 8 kHz, for 2 s", 2.0, None),
        ("Generate grid frequency around 50 Hz for half an hour", 1800.0, None),
    ],
)
def test_intervals_are_read_from_what_is_said_of_samples(
    task: str, span: float | None, interval: float | None
) -> None:
    assert read_stated(task) == Stated(span, interval)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("temperature for -3 days", "span is -259200 s; it must be"),
        ("temperature every -5 minutes for 2 days", "interval is -300 s; it must be"),
        ("temperature, 0 times per day", "interval is inf s; it must be"),
    ],
)
def test_a_time_that_cannot_be_is_refused(task: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        read_stated(task)


def test_a_span_shorter_than_eight_intervals_is_refused() -> None:
    with pytest.raises(ArgumentError, match="it must be 8 to"):
        read_stated("temperature for one hour, every 30 minutes")


@pytest.mark.parametrize("task", ["", "   ", "x" * 2001])
def test_a_task_of_no_words_or_too_many_is_refused(task: str) -> None:
    with pytest.raises(ArgumentError, match="it must be 1 to 2000"):
        read_stated(task)


@pytest.mark.parametrize("seconds", [604800.0, 86400.0, 44712.0, 0.0005, 90.0, 5700.0, 2592000.0])
def test_a_duration_reads_back_from_its_text(seconds: float) -> None:
    assert duration_seconds(duration_text(seconds)) == pytest.approx(seconds, rel=1e-4)
