"""Where each quantity of a series lives inside its latent; cpp/src/model/latent_layout.h has it whole."""

from __future__ import annotations

#: Tokens; the residual's are the last ones.
LEVEL, SEASON, SEASON_2, TREND, EVENTS, RESIDUAL = range(6)
#: Columns of the level token: the range, log(range / 10) / 2.5; the lowest value, asinh(low / range);
#: log of the noise's size, then its colour and envelope.
RANGE, LOW, NOISE, MAKE = 0, 1, 3, slice(4, 13)
RANGE_CENTRE, RANGE_SPREAD = 10.0, 2.5
#: Largest number of a latent, either side of 0.
LARGEST = 16.0
#: Columns of a season token.
PERIOD, COS, SIN, AMPLITUDE, HARMONICS = 0, 1, 2, 3, slice(4, 31)
#: Columns that an event takes, and events in their token.
EVENT_WIDTH, EVENT_SLOTS = 8, 2
#: Columns of the events' sizes.
SIZES = [7, 15]
#: Least amplitude of a season that is there.
ABSENT = 0.004
