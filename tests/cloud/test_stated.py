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
