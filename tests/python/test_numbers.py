"""Numbers of a text: where they are, what they spell, how long they are in steps."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

from geng_edge.numbers import NUMBER_WIDTH, find_numbers, number_channels


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
    ],
)
def test_length_in_steps_follows_unit_and_interval(
    text: str, interval: float, steps: float
) -> None:
    (number,) = find_numbers(text, interval)
    assert number.steps == pytest.approx(steps)


def test_a_metre_is_no_minute_and_a_percent_has_no_length() -> None:
    metre, percent = find_numbers("5 m and 60 %")
    assert (metre.unit, metre.steps) == ("none", None)
    assert (percent.unit, percent.steps) == ("percent", None)


def test_the_first_of_two_shares_the_unit_of_the_second() -> None:
    assert [n.steps for n in find_numbers("24 and 168 steps")] == [24, 168]


def test_no_text_raises() -> None:
    rng = random.Random(0)
    alphabet = "0123456789-+.,eE \u2212\u00b1%/hsmd\u00b2\U0001f600\x00\n'\"[]()abcxyz:"
    for _ in range(3000):
        text = "".join(rng.choices(alphabet, k=rng.randint(0, 60)))
        for number in find_numbers(text, 0.37):
            assert 0 <= number.start < number.end <= len(text)
            assert abs(number.value) <= 1e30


@pytest.mark.parametrize(
    "text",
    ["1e-320 Hz", "1e30 and 1e-310 s", "-1e30 years", "1e-310 steps", "1e30 Hz", "s\u0131x \u017f"],
)
def test_channels_stay_finite_at_the_edge_of_float(text: str) -> None:
    channels = number_channels(find_numbers(text, 1e-6), [(0, len(text))])
    assert np.isfinite(channels).all()


@pytest.mark.parametrize(
    "text",
    ["1" * 20_000, "1," * 10_000, "minus " * 3300, "twenty " * 2800, "1 to " * 4000, " " * 20_000],
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    began = time.perf_counter()
    find_numbers(text)
    assert time.perf_counter() - began < 2.0


def test_channels_mark_only_the_pieces_of_a_number() -> None:
    text = "from -5 to 64 steps"
    offsets = [(0, 0), (0, 4), (5, 6), (6, 7), (8, 10), (11, 13), (14, 19), (0, 0)]
    channels = number_channels(find_numbers(text), offsets)
    assert channels.shape == (8, NUMBER_WIDTH)
    assert channels.dtype == np.float32
    assert channels[:, 0].tolist() == [0, 0, 1, 1, 0, 1, 0, 0]
    np.testing.assert_array_equal(channels[2], channels[3])
    assert channels[2, 1] == -1.0
    assert channels[2, 30] == -5.0
    assert channels[5, [4, 6, 30, 31]].tolist() == [1.0, 1.0, 64.0, 64.0]
