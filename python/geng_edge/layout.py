"""Where each quantity of a series lives inside its latent; cpp/src/model/latent_layout.h has it whole."""

from __future__ import annotations

#: Tokens; the residual's are the last ones.
LEVEL, SEASON, SEASON_2, TREND, EVENTS, RESIDUAL = range(6)
#: Columns of the level token: log of the noise's size, then its colour and envelope.
NOISE, MAKE = 3, slice(4, 13)
#: Columns of a season token.
PERIOD, COS, SIN, AMPLITUDE, HARMONICS = 0, 1, 2, 3, slice(4, 31)
#: Columns that an event takes, and events in their token.
EVENT_WIDTH, EVENT_SLOTS = 8, 2
#: Columns of the events' sizes.
SIZES = [7, 15]
#: Least amplitude of a season that is there.
ABSENT = 0.004
