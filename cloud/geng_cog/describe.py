"""Claims of one channel as a description in the predefined format, which the text expert reads.

"Periodic air temperature data with a period of 1 day, values range from 18 to 23.5 degC, daytime
cycle, upward trend, low noise, no anomaly". Rendered and not written by the language model, so that
description and claims cannot disagree: what the device's own reader finds in the text is measured by
the tests, and is what is claimed.
"""

from __future__ import annotations

from geng_cog.durations import duration_text, number_text
from geng_edge.wire.answer import Anomaly, ChannelClaims

_TREND = {"up": "upward trend", "down": "downward trend", "none": "no trend"}
_WAVE = {
    "sine": "sinusoidal", "skewed": "skewed", "triangle": "triangular", "sawtooth": "sawtooth",
    "square": "square", "pulse": "pulse-like", "bursts": "burst-like", "daytime": "daytime",
    "double peak": "double-peaked", "heartbeat": "heartbeat-like",
}  # fmt: skip
_MANY = {"week": "weeks", "day": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "ms"}
_ONE = {"week": "week", "day": "day", "h": "hour", "min": "minute", "s": "second", "ms": "ms"}


def describe(claims: ChannelClaims) -> str:
    """The description of one channel; every claim of it is said."""
    unit = f" {claims.unit}" if claims.unit else ""
    parts = [_head(claims)]
    parts.append(f"values range from {number_text(claims.low)} to {number_text(claims.high)}{unit}")
    if claims.mean is not None:
        parts.append(f"mean value of {number_text(claims.mean)}{unit}")
    if claims.wave is not None and claims.periods:
        parts.append(f"{_WAVE[claims.wave]} cycle")
    parts.append(_TREND[claims.trend])
    parts.append("no noise" if claims.noise == "none" else f"{claims.noise} noise")
    parts += [_event(a) for a in claims.anomalies] or ["no anomaly"]
    return ", ".join(parts)


def _head(claims: ChannelClaims) -> str:
    if not claims.periods:
        return f"Non-periodic {claims.quantity} data"
    said = " and ".join(_time(p) for p in claims.periods)
    noun = "a period of" if len(claims.periods) == 1 else "periods of"
    return f"Periodic {claims.quantity} data with {noun} {said}"


def _time(seconds: float) -> str:
    number, _, unit = duration_text(seconds).partition(" ")
    return f"{number} {_ONE[unit] if number == '1' else _MANY[unit]}"


def _event(anomaly: Anomaly) -> str:
    name = anomaly.kind
    if name == "shift":
        name = f"{'upward' if anomaly.direction > 0 else 'downward'} level shift"
    return f"{name} at {number_text(100.0 * anomaly.position, 2)} % of the window"
