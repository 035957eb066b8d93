"""Numbers of a text: where they are, what they spell, how long they are in steps."""

from __future__ import annotations

import itertools
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geng_edge.number_channels import number_channels
from geng_edge.numbers import LARGEST_NUMBER, find_numbers


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("from -5 to 5", [-5, 5]),
        ("5-10 V, 18 - 26", [5, 10, 18, 26]),
        ("between \u22123.5 and -1.2e-3", [-3.5, -0.0012]),
        ("16.00..54 and [-0.17..0.17]", [16, 54, -0.17, 0.17]),
        ("minus 5, negative 2.5", [-5, -2.5]),
        ("12,500 to 1,234,567.5", [12500, 1234567.5]),
        ("twenty-five steps, three hundred", [25, 300]),
        ("0.1\u00b115.9", [0.1, 15.9]),
        ("CO2, PM2.5, x1, sensor3 and H2O", []),
        ("range=-40..85", [-40, 85]),
        ("", []),
        ("3k to 5k, 5 K, 4k7", [3000, 5000, 5, 4]),
        ("10 to 20 thousand, 5-10k, 500 to 1k", [10000, 20000, 5000, 10000, 500, 1000]),
        ("0 and 3 million, 2k to 5k, -4 to 5k", [0, 3e6, 2000, 5000, -4000, 5000]),
        ("10 000, 10'000, 10_000 and 5 100", [10000, 10000, 10000, 5, 100]),
        ("1.5 million, 2 thousand, 2.3x10^3, 4 \u00d7 10^-2", [1.5e6, 2000, 2300, 0.04]),
        ("two thousand five hundred to a hundred and twenty", [2500, 120]),
        ("between one hundred and two hundred", [100, 200]),
        ("two and a half, one and three quarters", [2.5, 1.75]),
        ("between 18,5 and 24,5", [18.5, 24.5]),
        ("[18,24], 1,013 and 0.5", [18, 24, 1013, 0.5]),
        ("5V-10V, 18\u00b0C-24\u00b0C", [5, 10, 18, 24]),
        ("minus 10 beats per minute, 40,300 beats per minute", [-10, 40300]),
        ("12 below zero, 5 \u00b0C below freezing, below zero", [-12, -5, 0]),
        ("values in [0,100], period of 64 steps", [0, 100, 64]),
        ("range (10,200), [ -10,200 ], {0,100}, (0,1000]", [10, 200, -10, 200, 0, 100, 0, 1000]),
        ("[100,200,300] and [0,100.5]", [100, 200, 300, 0, 100.5]),
        ("[100,2000], 100,2000", [100, 2000, 100, 2000]),
        ("[0;100], [0, 100], 0-100 %", [0, 100, 0, 100, 0, 100]),
        ("[10,000], (1,013), (1,234,567), (1,234.5)", [10000, 1013, 1234567, 1234.5]),
        ("[1,500,2,000], 10'000, 12,500 V", [1500, 2000, 10000, 12500]),
        ("between 0,125 and 0,0875", [0.125, 0.0875]),
        ("0,100 and 0.5", [0, 100, 0.5]),
        ("4...20 mA, 0...10 V, 4..20, 4\u202620", [4, 20, 0, 10, 4, 20, 4, 20]),
        ("-5...+5, -5...5, 5...-5, 0.5...2.5", [-5, 5, -5, 5, 5, -5, 0.5, 2.5]),
        (".5 to 2.5, 1.2.3, v1.2.3", [0.5, 2.5, 1.2]),
        ("20\u00b12, 20+/-2, 20 +/- 2, \u00b15, +-5", [20, 2, 20, 2, 20, 2, 5, 5]),
        ("20 plus or minus 2, 20 plus and minus 2, 20 plus/minus 2, 20 plus minus 2", [20, 2] * 4),
        ("12:30, 2x, 1 000, 5e3", [12, 30, 2, 1000, 5000]),
    ],
)
def test_numbers_are_found_with_their_sign_and_value(text: str, values: list[float]) -> None:
    assert [n.value for n in find_numbers(text)] == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "interval", "steps"),
    [
        ("a period of 6 s", 1.0, 6),
        ("a period of 6 s", 0.5, 12),
        ("a 24-hour cycle", 600.0, 144),
        ("daily", 3600.0, 24),
        ("every day", 3600.0, 24),
        ("period of 64 steps", 7.0, 64),
        ("0.2 Hz", 0.5, 10),
        ("three times per day", 3600.0, 8),
        ("3.5 cycles per hour", 10.0, 3600 / 35),
        ("at step 300", 1.0, 300),
        ("after 2.5h", 60.0, 150),
        ("500ms", 0.1, 5),
        ("5 \u03bcs", 1e-6, 5),
        ("5 \u00b5s", 1e-6, 5),
        ("5 \u017f", 1.0, 5),
        ("2 m\u0131n", 60.0, 2),
        ("twice a day", 3600.0, 12),
        ("thrice per week", 3600.0, 56),
        ("three times daily", 3600.0, 8),
        ("4x/day", 3600.0, 6),
        ("six times in 1 hour", 60.0, 10),
        ("twice in 24 hours", 3600.0, 12),
        ("once every working day", 3600.0, 24),
        ("every other day", 3600.0, 48),
        ("every second hour", 60.0, 120),
        ("every 3rd day", 3600.0, 72),
        ("each half hour", 60.0, 30),
        ("every quarter of an hour", 60.0, 15),
        ("every couple of hours", 60.0, 120),
        ("every day and a half", 3600.0, 36),
        ("every night", 3600.0, 24),
        ("every monday", 86400.0, 7),
        ("every 60th sample", 60.0, 60),
        ("fortnightly", 86400.0, 14),
        ("half-hourly", 60.0, 30),
        ("6-hourly", 3600.0, 6),
        ("half an hour", 60.0, 30),
        ("three quarters of an hour", 60.0, 45),
        ("a tenth of a second", 0.01, 10),
        ("an hour and a half", 60.0, 90),
        ("one and a half hours", 60.0, 90),
        ("a period of 1/2 hour", 60.0, 30),
        ("every 1/3 day", 3600.0, 8),
        ("1/2-hourly cycle", 60.0, 30),
        ("1/4 of an hour", 60.0, 15),
        ("1/100 s", 0.001, 10),
        ("1 1/2 hours", 60.0, 90),
        ("2\u00bd h", 60.0, 150),
        ("half-hour", 60.0, 30),
        ("1 h 30 min", 60.0, 90),
        ("2min30s", 10.0, 15),
        ("takes about a week", 3600.0, 168),
        ("a peak per hour", 60.0, 60),
        ("two humps a day", 3600.0, 12),
        ("14 cycles over two days", 3600.0, 48 / 14),
        ("5 waves per 100 samples", 60.0, 20),
        ("12 oscillations in the window", 1.0, 512 / 12),
        ("12 cycles", 1.0, 512 / 12),
        ("12 full cycles of a sine", 1.0, 512 / 12),
        ("7 turns of the same thing, and a pit", 1.0, 512 / 7),
        ("12 waves of equal height", 1.0, 512 / 12),
        ("14 cycles over the whole test", 1.0, 512 / 14),
        ("14 cycles in our entire experiment", 1.0, 512 / 14),
        ("7 waves from start to end", 1.0, 512 / 7),
        ("it repeats itself 8 times", 1.0, 64),
        ("a quarter of the window", 1.0, 128),
        ("a beat of roughly 3 per minute", 1.0, 20),
        ("half a dozen waves in the record", 1.0, 512 / 6),
        ("number of cycles: 16", 1.0, 32),
        ("16 per window", 1.0, 32),
        ("twice-a-day", 3600.0, 12),
        ("1:30 h", 60.0, 90),
        ("a period of 1h30", 60.0, 90),
        ("15 breaths per minute", 0.1, 40),
        ("25 teeth in the window", 1.0, 20.48),
        ("a spike at the 200th sample", 1.0, 200),
        ("period: approx 40", 9.0, 40),
        ('"period_s": 120', 2.0, 60),
        ("period [min] = 5", 60.0, 5),
        ("period 128, flat", 9.0, 128),
        ("periods: 20", 9.0, 20),
        ("repeats every 36", 9.0, 36),
        ("season: 60-step / min: low", 9.0, 60),
        ("seasonality: 30 (samples)", 9.0, 30),
        ("two showers a day", 600.0, 72),
        ("3 starts per hour", 60.0, 20),
        ("a morning peak per day", 3600.0, 24),
        ("breathing at 15 per minute", 0.1, 40),
        ("freq 2/min", 1.0, 30),
        ("day in, day out", 3600.0, 24),
        ("swings with the day", 1800.0, 48),
        ("biweekly dosing", 3600.0, 336),
        ("snowmelt each spring", 86400.0, 365),
    ],
)
def test_length_in_steps_follows_unit_and_interval(
    text: str, interval: float, steps: float
) -> None:
    (number,) = find_numbers(text, interval)
    assert number.steps == pytest.approx(steps)


def test_a_count_of_cycles_is_about_the_window_that_is_asked_for() -> None:
    (count,) = find_numbers("16 cycles in the record", 1.0, 1024)
    assert (count.value, count.unit, count.steps) == (16.0, "frequency", 64.0)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("after 500 cycles", 1.0),
        ("14.37 peak, -64 at least, 64 peak", 1.0),
        ("two cycles of different kinds", 1.0),
        ("12 cycles of length unknown", 1.0),
        ("12 waves of about -3 degC", 1.0),
        ("4 periods of high load", 1.0),
        ("12 cycles over the whole month", 1.0),
        ("20 strokes per minute", 60.0),
        ("in the second half of the window", 1.0),
        ("a half-sine hump for half of the cycle", 1.0),
        ("hourly readings, half-hourly data", 60.0),
        ("once in the second half", 1.0),
        ("a period of 5.5 m", 1.0),
        ("8 samples a second, 40 samples/s, two readings per hour, 100 points a day", 1.0),
        ("24/7, 3/4 inch, 5 m/s, 80 km/h, 1/2/2024, 1/2 h/day", 1.0),
        ("1/2 hourly readings", 1.0),
    ],
)
def test_what_is_no_length_gets_none(text: str, interval: float) -> None:
    assert [n.steps for n in find_numbers(text, interval) if n.steps is not None] == []


def test_numbers_keep_their_order_and_do_not_overlap() -> None:
    text = "3 V to 5k V, twice a day; half an hour after 12 below zero, 1 h 30 min apart, 40 %"
    numbers = find_numbers(text, 60.0)
    assert [n.value for n in numbers] == [3, 5000, 1, 1, -12, 1.5, 40]
    assert all(a.end <= b.start for a, b in itertools.pairwise(numbers))


def test_a_metre_is_no_minute_and_a_percent_has_no_length() -> None:
    metre, percent = find_numbers("5 m and 60 %")
    assert (metre.unit, metre.steps) == ("none", None)
    assert (percent.unit, percent.steps) == ("percent", None)


@pytest.mark.parametrize(
    ("text", "said", "share"),
    [
        ("a spike at 0.6 of the log", "0.6", 60.0),
        ("it drops at .45 of the whole record", ".45", 45.0),
        ("3/4 of the way through", "3/4", 75.0),
        ("a dip two fifths into the run", "two fifths", 40.0),
        ("three-tenths of the way in", "three-tenths", 30.0),
        ("a fifth of the way", "a fifth", 20.0),
    ],
)
def test_a_share_of_the_record_is_a_place_in_per_cent(text: str, said: str, share: float) -> None:
    (number,) = find_numbers(text)
    assert (text[number.start : number.end], number.unit) == (said, "percent")
    assert number.value == pytest.approx(share)


def test_a_share_of_something_else_is_none() -> None:
    assert [n.value for n in find_numbers("0.5 of the period, from 0.2 through 0.8")] == [
        0.5,
        0.2,
        0.8,
    ]
    assert [n.value for n in find_numbers("7/5 of the log")] == [7, 5]
    # Only a sign of per cent is shared by the number before it.
    assert [n.unit for n in find_numbers("0.2 and 0.8 of the log")] == ["none", "percent"]


def test_a_fraction_is_one_number_of_its_unit() -> None:
    text = "a cycle of 1 1/2 hours"
    (number,) = find_numbers(text, 60.0)
    assert (text[number.start : number.end], number.value) == ("1 1/2", 1.5)
    assert (number.unit, number.seconds) == ("time", 5400.0)


@pytest.mark.parametrize("text", ["8/12 hours", "12/24 hours", "5/12 hours"])
def test_what_is_no_fraction_of_a_unit_is_two_numbers(text: str) -> None:
    first, second = find_numbers(text, 3600.0)
    assert first.steps is None
    assert second.steps == second.value


@pytest.mark.parametrize("text", ["24 and 168 steps", "24...168 steps", "24\u2026168 steps"])
def test_the_first_of_two_shares_the_unit_of_the_second(text: str) -> None:
    assert [n.steps for n in find_numbers(text)] == [24, 168]


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("50 \u00b1 10 %", ["percent", "percent"]),
        ("50 plus or minus 10 percent", ["percent", "percent"]),
        ("230 V +/- 10 %", ["none", "percent"]),
    ],
)
def test_a_tolerance_shares_its_unit_unless_there_is_another(text: str, units: list[str]) -> None:
    assert [n.unit for n in find_numbers(text)] == units


def test_both_ends_of_a_range_may_be_grouped_by_spaces() -> None:
    assert [n.value for n in find_numbers("from 1 013 to 1 025 hPa")] == [1013, 1025]
    assert [n.value for n in find_numbers("channels 5 100 and 7")] == [5, 100, 7]


@pytest.mark.parametrize(
    "text", ["between 2 and 9 starts per hour", "1 to 4 meals a day", "80 visits a day"]
)
def test_a_count_that_is_a_value_is_no_rhythm(text: str) -> None:
    assert find_numbers(text, 60.0)[-1].steps is None


def test_no_text_raises() -> None:
    rng = random.Random(0)
    alphabet = "0123456789-+.,eE \u2212\u00b1%/hsmd\u00b2\U0001f600\x00\n'\"[]()abcxyz:"
    for _ in range(3000):
        text = "".join(rng.choices(alphabet, k=rng.randint(0, 60)))
        for number in find_numbers(text, 0.37):
            assert 0 <= number.start < number.end <= len(text)
            assert abs(number.value) <= 1e30


HUGE, TINY = "9" * 400, f"0.{'0' * 322}1"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (f"3 times in {HUGE} hours", [3]),
        (f"{HUGE}-hourly cycle", [1]),
        (f"{TINY}-hourly cycle", [1e-323]),
        (f"{TINY} times per year", [1e-323]),
        (f"{HUGE} h 30 min", [30]),
        (f"{HUGE} times per day", []),
        (f"{HUGE} cycles in the window", []),
        (f"every {HUGE}th sample", []),
        ("1e30 and 1e-320 \u00b5s", [1e30, 1e-320]),
    ],
)
def test_a_size_that_no_float_holds_is_no_length(text: str, values: list[float]) -> None:
    numbers = find_numbers(text)
    assert [n.value for n in numbers] == pytest.approx(values, abs=1e-323)
    assert np.isfinite(number_channels(numbers, [(0, len(text))])).all()


_digits = st.one_of(
    st.sampled_from([HUGE, TINY, "1e30", "1e-320", "9e999", "0", "00", "\u00bd", "1/2", "1 1/2"]),
    st.from_regex(r"[-+]?\d{1,3}([.,/;:]{1,3}\d{1,4}){0,3}", fullmatch=True),
)
_phrases = st.sampled_from(
    ["{}", "{} times per year", "3 times in {} hours", "{}-hourly cycle", "{} h 30 min", "{} and",
     "{} Hz", "{} cycles in the window", "every {}th sample", "twice in {} days", "period of {}",
     "{} of an hour", "{} below zero", "{} cycles per hour", "to {}", "...{}", "{} +/-", "[{},", "{}]",
     "{} %", "{} steps", "{} \u00b5s", "{} hundred", "{} x 10^99"]
)  # fmt: skip


@settings(max_examples=200, deadline=None, database=None)
@given(
    pieces=st.lists(st.tuples(_phrases, _digits, st.sampled_from(["", " "])), max_size=6),
    interval=st.sampled_from([1e-6, 1.0, 1e7]),
)
def test_no_number_however_hostile_raises_or_leaves_the_finite(
    pieces: list[tuple[str, str, str]], interval: float
) -> None:
    text = "".join(said.format(digits) + gap for said, digits, gap in pieces)
    numbers = find_numbers(text, interval)
    assert all(abs(n.value) <= LARGEST_NUMBER for n in numbers)
    assert all(a.end <= b.start for a, b in itertools.pairwise(numbers))
    assert np.isfinite(number_channels(numbers, [(0, len(text))])).all()


@pytest.mark.parametrize(
    "text",
    ["1e-320 Hz", "1e30 and 1e-310 s", "-1e30 years", "1e-310 steps", "1e30 Hz", "s\u0131x \u017f"],
)
def test_channels_stay_finite_at_the_edge_of_float(text: str) -> None:
    channels = number_channels(find_numbers(text, 1e-6), [(0, len(text))])
    assert np.isfinite(channels).all()


@pytest.mark.parametrize(
    "text",
    [
        "one and a half hours and a half " * 600,
        "twice a " * 2500,
        "every other " * 1600,
        "beat of about " * 1400,
        "12 cycles in the " * 1100,
        "two thousand five hundred and " * 600,
        "1 000 000 " * 2000,
        "1h 30 " * 3000,
        " " * 10_000 + "x 10^" * 2000,
        "1" * 20_000,
        "[1,100" * 3300,
        "[100" + ",200" * 5000,
        "[" + "1" * 20_000,
        "1 1/2 " * 3300,
        "1/" * 10_000,
        "1..." * 5000,
        "1," * 10_000,
        "minus " * 3300,
        "twenty " * 2800,
        "1 to " * 4000,
        " " * 20_000,
    ],
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    began = time.perf_counter()
    find_numbers(text)
    assert time.perf_counter() - began < 2.0


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("periods 20 and 100", [20, 100]),
        ("sines with periods of 20 and 100, flat", [20, 100]),
        ("wavelengths: 16, 64", [16, 64]),
        ("periods of 2 and 5 minutes", [120, 300]),
        ("cycles of 20 and 50", [None, None]),  # not 20 "an d"
    ],
)
def test_both_of_two_periods_are_lengths(text: str, steps: list[float | None]) -> None:
    assert [number.steps for number in find_numbers(text)] == steps
