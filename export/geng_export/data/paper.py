"""The predefined format of the paper: one wording for each feature, always in the same order.

"Periodic data with a period of 64 steps, values range from -5 to 5, upward trend, no anomaly". What varies
is which features are said and how their numbers are written.
"""

from __future__ import annotations

from geng_export.data.clauses import Clause, PeriodFill, RangeFill, Writer, joined
from geng_export.data.details import place, said_in
from geng_export.data.numerals import Token


def write(w: Writer) -> list[Token]:
    """Describe the claims of ``w`` in that format."""
    parts = [part for say in _PARTS if (part := say(w))]
    return joined(parts, ", ", ", ")


def _head(w: Writer) -> Clause:
    claims, dice = w.claims, w.dice
    data: Clause = ["data"]
    if claims.quantity and dice() < 0.3:
        data = [f"{claims.quantity} data"]
        w.stated["quantity"] = claims.quantity
    if claims.periods and dice() < 0.95:
        fills = [PeriodFill(w, i) for i in range(len(claims.periods))]
        lengths = [list(fill("period")) for fill in fills]
        w.stated["periodic"] = True
        w.stated["periods"] = tuple(fill.stated for fill in fills)
        noun = "a period of " if len(fills) == 1 else "periods of "
        return ["periodic ", *data, f" with {noun}", *joined(lengths, " and ", " and ")]
    if claims.periodic is False and dice() < 0.4:
        w.stated["periodic"] = False
        return ["non-periodic ", *data]
    return data


def _range(w: Writer) -> Clause:
    if not w.has_range or w.dice() > 0.92:
        return []
    fill = RangeFill(w)
    tokens = ["values range from ", *fill("low"), " to ", *fill("high"), *w.unit_suffix()]
    w.stated.update(fill.limits())
    return tokens


def _mean(w: Writer) -> Clause:
    if w.claims.mean is None or w.dice() > 0.35:
        return []
    number, w.stated["mean"] = w.value(w.claims.mean, "mean")
    return ["mean value of ", number, *w.unit_suffix()]


def _trend(w: Writer) -> Clause:
    trend = w.claims.trend
    if trend is None or w.dice() > (0.4 if trend == "none" else 0.92):
        return []
    w.stated["trend"] = trend
    return [{"up": "upward trend", "down": "downward trend", "none": "no trend"}[trend]]


def _noise(w: Writer) -> Clause:
    noise = w.claims.noise
    if noise is None or w.dice() > 0.25:
        return []
    w.stated["noise"] = noise
    return [{"none": "no noise"}.get(noise, f"{noise} noise")]


def _events(w: Writer) -> Clause:
    events = w.claims.events
    if events is None or w.dice() > (0.95 if events else 0.6):
        return []
    if not events:
        w.stated["events"] = ()
        return ["no anomaly"]
    said: list[Clause] = []
    for i in said_in(w.dice, events):
        event = events[i]
        name = event.kind
        if event.kind == "shift":
            name = "upward level shift" if event.direction > 0 else "downward level shift"
        tokens, placed = place(w, event, i)
        w.stated["events"] = (*w.stated.get("events", ()), placed)
        said.append([f"{name} ", *tokens])
    return joined(said, ", ", ", ")


_PARTS = (_head, _range, _mean, _trend, _noise, _events)
