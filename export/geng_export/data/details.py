"""Clauses beyond the shape of a series: noise, events, sampling, unit and subject."""

from __future__ import annotations

from collections.abc import Sequence

from geng_edge.claims import ANYWHERE, POSITION_WORDS, Event, event_at_word
from geng_export.data.clauses import Clause, Writer, article, no_slot
from geng_export.data.numerals import Dice, Number, Tokens, decimals_for, write, write_time

# The words that fit a position, looked up by its hundredth.
_WORDS_AT = tuple(
    tuple(
        w for w, (a, b) in POSITION_WORDS.items() if a <= i / 100.0 and min(i + 1, 100) / 100.0 <= b
    )
    for i in range(101)
)
# Words with a number in them, which is no position but is still a number of the text.
_FRACTIONS: dict[str, Tokens] = {
    "two thirds of the way in": (Number("two", "other"), " thirds of the way in"),
    "three quarters of the way through": (Number("three", "other"), " quarters of the way through"),
}


def say_noise(w: Writer, form: str) -> Clause:
    """The noise, by a word or by its standard deviation."""
    claims = w.claims
    std = claims.noise_std
    if std is None or std <= 0.0 or (claims.noise is not None and w.dice() < 0.65):
        return (
            []
            if claims.noise is None
            else w.plain(f"noise.{claims.noise}", form, noise=claims.noise)
        )
    # A number with the unit % would read as a share of the range.
    known = frozenset({"std", "u", "pct"} if w.span > 0.0 else {"std", "u"})
    made: list[float] = []

    def fill(slot: str) -> Tokens:
        if slot == "u":
            return () if claims.unit == "%" else w.unit_suffix()
        share = slot == "pct"
        value = 100.0 * std / w.span if share else std
        text, stated = write(value, decimals_for(value, 2), w.dice, w.spelled)
        made.append(stated / 100.0 * w.span if share else stated)
        return Number(text, "noise"), _percent(w.dice) if share else ""

    tokens, _ = w.say("noise.number", form, known, fill)
    if made:
        w.stated["noise_std"] = made[0]
    return tokens


def _percent(dice: Dice) -> str:
    return dice.pick((" %", "%", "%", " percent"))


def say_colour(w: Writer, form: str) -> Clause:
    """White or red noise."""
    return w.plain(f"colour.{w.claims.colour}", form, colour=w.claims.colour)


def said_in(dice: Dice, events: Sequence[Event]) -> list[int]:
    """The order in which a text names events: any, where they are of two kinds."""
    order = list(range(len(events)))
    if len({(e.kind, e.direction) for e in events}) > 1:
        dice.shuffle(order)
    return order


def say_event(w: Writer, form: str, index: int) -> Clause:
    """One event, and where it is."""
    event = (w.claims.events or ())[index]
    said: list[Event] = []

    def fill(slot: str) -> Tokens:
        if slot == "when" and w.dice() < 0.12:
            return ()
        tokens, placed = place(w, event, index)
        said.append(placed)
        return (" ", *tokens) if slot == "when" else tuple(tokens)

    tokens, _ = w.say(
        f"event.{event.kind}", form, frozenset({"when", "at"}), fill, event.direction > 0
    )
    if tokens:
        made = said[0] if said else Event(event.kind, 0.5, event.direction, ANYWHERE)
        w.stated["events"] = (*w.stated.get("events", ()), made)
    return tokens


def place(w: Writer, event: Event, index: int) -> tuple[Clause, Event]:
    """Where an event happens, and the event as the text places it."""
    role = ("position", "position2", "other")[min(index, 2)]
    last = max(w.claims.length - 1, 1)
    words = _WORDS_AT[int(event.position * 100.0)]
    time = write_time(
        event.position * last * w.claims.interval, 0.003 * last * w.claims.interval, w.dice
    )
    known = {"n", "pct"} if index < 2 or not words else set()
    if words:
        known.add("word")
    if time is not None and index < 2 and w.claims.interval != 1.0:
        known.add("time")
    made: list[Event] = []

    def fill(slot: str) -> Tokens:
        if slot == "word":
            word = w.dice.pick(words)
            made.append(event_at_word(event.kind, word, event.direction))
            return _FRACTIONS.get(word, (word,))
        if slot == "time" and time is not None:
            made.append(Event(event.kind, time.seconds / w.claims.interval / last, event.direction))
            return Number(time.number, role), time.unit
        if slot == "n":
            step = round(event.position * last)
            made.append(Event(event.kind, step / last, event.direction))
            return (Number(str(step), role),)
        percent = round(100.0 * event.position, 0 if w.dice() < 0.8 else 1)
        made.append(Event(event.kind, percent / 100.0, event.direction))
        return Number(f"{percent:g}", role), _percent(w.dice)

    tokens, _ = w.say("when", "noun", frozenset(known), fill)
    return tokens, made[0] if made else Event(event.kind, 0.5, event.direction, ANYWHERE)


def say_stationary(w: Writer, form: str) -> Clause:
    """Whether the statistics stay."""
    feature = "stationary.yes" if w.claims.stationary else "stationary.no"
    return w.plain(feature, form, stationary=w.claims.stationary)


def say_resolution(w: Writer, form: str) -> Clause:
    """The quantisation step, in full."""
    step = w.claims.resolution or 0.0
    text, stated = write(step, decimals_for(step, 3), w.dice, w.spelled)
    number = Number(text, "resolution")
    known = frozenset({"resolution", "u"})
    tokens, _ = w.say(
        "resolution", form, known, lambda slot: w.unit_suffix() if slot == "u" else (number,)
    )
    if tokens:
        w.stated["resolution"] = stated
    return tokens


def say_sampling(w: Writer, form: str) -> Clause:
    """Interval or length: known without the text, so nothing is claimed."""
    interval, length = w.claims.interval, w.claims.length
    span = write_time(interval, 1e-6 * interval, w.dice)
    hertz = f"{1.0 / interval:.6g}"
    known = {"length"}
    if span is not None:
        known.add("interval")
    if 0.01 <= 1.0 / interval < 1e5 and abs(float(hertz) * interval - 1.0) < 1e-6:
        known.add("hertz")

    def fill(slot: str) -> Tokens:
        if slot == "interval" and span is not None:
            return Number(span.number, "other"), span.unit
        if slot == "hertz":
            return Number(hertz, "other"), " Hz"
        return (Number(str(length), "other"),)

    return w.say("sampling", form, frozenset(known), fill)[0]


def say_unit(w: Writer, form: str) -> Clause:
    """The unit by itself, unless a number has brought it."""
    if "unit" in w.stated:
        return []
    tokens, _ = w.say("unit", form, frozenset({"unit"}), lambda _: (w.unit,))
    if tokens:
        w.stated["unit"] = w.claims.unit
    return tokens


def say_subject(w: Writer, form: str) -> Clause:
    """What is measured, by what and where, as far as the claims name it and chance has it."""
    claims = w.claims
    names = {"quantity": claims.quantity, "device": claims.device, "place": claims.place}
    known = {name for name, text in names.items() if text}
    if not known or w.dice() < 0.12:
        return w.say("generic", form, frozenset(), no_slot)[0]
    known |= {f"a_{name}" for name in known if name != "quantity"}
    if claims.unit:
        known.add("unit")

    def fill(slot: str) -> Tokens:
        if slot == "unit":
            return (w.unit,)
        text = names[slot.removeprefix("a_")]
        if form == "note" and slot == "device" and w.dice() < 0.3:
            text = text.replace("temperature", "temp").replace("humidity", "hum.")
        return (article(text) if slot.startswith("a_") else text,)

    tokens, slots = w.say("subject", form, frozenset(known), fill)
    if not tokens:
        return w.say("generic", form, frozenset(), no_slot)[0]
    for slot in slots:
        name = slot.removeprefix("a_")
        w.stated[name] = getattr(claims, name)
    return tokens


def say_aside(w: Writer, form: str) -> Clause:
    """Something said beside the matter: it claims nothing, and its numbers play no role."""
    dice = w.dice

    def fill(slot: str) -> Tokens:
        if slot == "year":
            return (Number(str(1990 + int(dice() * 40.0)), "other"),)
        if slot == "code":
            before = dice.pick(("TX ", "MK ", "AB "))
            return before, Number(str(1 + int(dice() * 999.0)), "other")
        return (Number(str(1 + int(dice() ** 2 * 60.0)), "other"),)

    return w.say("aside", form, frozenset({"count", "year", "code"}), fill)[0]
