"""Number channels: what the pieces of a number carry, and what its words say of it."""

from __future__ import annotations

import numpy as np
import pytest

from geng_edge.number_channels import NUMBER_WIDTH, number_channels
from geng_edge.numbers import find_numbers


@pytest.mark.parametrize(
    ("text", "recurs"),
    [
        ("repeats weekly", True),
        ("every third day", True),
        ("twice a day", True),
        ("every half hour", True),
        ("12-hourly", True),
        ("16 cycles in the record", True),
        ("two showers a day", True),
        ("half an hour", False),
        ("an hour and a half", False),
        ("1 h 30 min", False),
        ("a quarter of the window", False),
        ("5 minutes", False),
        ("20 litres per minute", False),
    ],
)
def test_what_comes_back_is_told_from_what_lasts(text: str, recurs: bool) -> None:
    (number,) = find_numbers(text, 60.0)
    assert number.recurs == recurs
    channels = number_channels([number], [(number.start, number.end)])
    assert channels[0, 29] == recurs


@pytest.mark.parametrize(
    ("text", "both_ways"),
    [
        ("accelerometer, ±2 g", True),
        ("gyro of +/- 250 deg/s", True),
        ("sin wave, +-1", True),
        ("plus or minus 10 V", True),
        ("an amplitude of 3", True),
        ("amplitude: 3", True),
        ("steering angle ±30 degrees", True),
        ("oscillations of ±2 degC", False),
        ("swings by ±5 %", False),
        ("accuracy of ±0.5 V", False),
        ("measurement noise of typically ±3", False),
        ("±5 minutes", False),
        ("up to 5 V", False),
        ("-5 V", False),
    ],
)
def test_what_goes_both_ways_is_told_from_a_tolerance(text: str, both_ways: bool) -> None:
    (number,) = find_numbers(text)
    assert number.both_ways == both_ways
    channels = number_channels([number], [(number.start, number.end)])
    assert channels[0, 28] == both_ways


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("a constant 5 V", True),
        ("constant 5", True),
        ("a constant voltage of 5 V", True),
        ("flat line at 5, no trend", True),
        ("the temperature stays at 21 \u00b0C all day", True),
        ("humidity holds steady at 45 %", True),
        ("it remains constant at -3", True),
        ("a steady 50 Hz", False),  # how often, not where
        ("constant period of 20", False),
        ("stays below 10", False),
        ("stays at 21 \u00b0C until noon, then climbs", False),
        ("one spike in an otherwise constant 5 V", False),
        ("a constant 5 V with a daily cycle", False),
    ],
)
def test_a_level_at_which_a_series_stays(text: str, stays: bool) -> None:
    number = find_numbers(text)[0]
    assert number.stays == stays
    channels = number_channels([number], [(number.start, number.end)])
    assert channels[0, 28] == -float(stays)


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
