"""Rhythms as people say them: "twice a day", "half an hour", "12 cycles in the window".

What is written here is what :mod:`geng_edge.rhythms` finds; a test holds the two together.
"""

from __future__ import annotations

from geng_export.data.numerals import NUMBER_WORDS, PRECISION, Dice, Span

_MINUTE, _HOUR, _DAY, _WEEK = 60.0, 3600.0, 86400.0, 604800.0
_UNITS = ((_MINUTE, "minute"), (_HOUR, "hour"), (_DAY, "day"), (_WEEK, "week"))
_HOURLY = (2, 3, 4, 6, 8, 12)
#: A count is rounded by this share of itself at most; the structure follows what is said.
COUNTED = 0.02
LEAST_COUNT, MOST_COUNT = 3, 60
_NOUNS = ("cycles", "oscillations", "waves", "peaks", "humps", "swings", "repetitions", "pulses",
          "full cycles", "complete cycles", "rounds", "beats", "turns", "bursts")  # fmt: skip
_ONE = ("a cycle", "one cycle", "a peak", "one hump", "a wave", "a single peak", "one round")


def _every() -> list[tuple[float, str]]:
    said = []
    for size, unit in _UNITS:
        an = "an" if unit == "hour" else "a"
        said += [(size / 2, f"twice {an} {unit}"), (size / 2, f"twice per {unit}")]
        said += [(size / 2, f"twice every {unit}"), (size / 2, f"every half {unit}")]
        said += [(2 * size, f"every other {unit}"), (2 * size, f"every second {unit}")]
        said += [(2 * size, f"each second {unit}"), (2 * size, f"every couple of {unit}s")]
        said += [(3 * size, f"every third {unit}"), (4 * size, f"every 4th {unit}")]
        said += [(1.5 * size, f"every {unit} and a half"), (size, f"once per {unit}")]
        said += [(size, f"once every single {unit}"), (size, f"every single {unit}")]
    said += [(_DAY / 2, "twice daily"), (_WEEK / 2, "twice weekly"), (2 * _WEEK, "every fortnight")]
    said += [(_HOUR / 4, "every quarter of an hour"), (_HOUR / 4, "every quarter hour")]
    said += [(_DAY, f"every {time}") for time in ("morning", "night", "evening", "afternoon")]
    said += [(_DAY, "once every working day"), (_WEEK, "every monday"), (_WEEK, "every weekend")]
    return said


def _lengths() -> list[tuple[float, str]]:
    said = []
    for size, unit in _UNITS:
        an = "an" if unit == "hour" else "a"
        said += [(size / 2, f"half {an} {unit}"), (1.5 * size, f"{an} {unit} and a half")]
        said += [
            (size / 4, f"a quarter of {an} {unit}"),
            (0.75 * size, f"three quarters of {an} {unit}"),
        ]
    return said


def _adjectives() -> list[tuple[float, str]]:
    said = [(_HOUR / 2, "half-hourly"), (_HOUR / 4, "quarter-hourly"), (_HOUR / 2, "half-hour")]
    return [*said, (2 * _WEEK, "fortnightly"), (_DAY / 2, "half-day")]


_SAID = {"noun": _lengths(), "adverb": _every(), "adjective": _adjectives()}


def spoken(seconds: float, dice: Dice, form: str) -> Span | None:
    """A length in words alone; None when nobody says it so.

    ``form`` is "noun" (half an hour), "adverb" (twice a day) or "adjective" (half-hourly).
    """
    fitting = [
        Span(text, "", size)
        for size, text in _SAID[form]
        if abs(seconds - size) <= PRECISION * size
    ]
    if form == "noun":
        fitting += [*_compound(seconds), *_and_a_half(seconds)]
    elif form == "adjective":
        fitting += [
            Span(str(n), "-hourly", n * _HOUR)
            for n in _HOURLY
            if abs(seconds - n * _HOUR) <= PRECISION * seconds
        ]
    return dice.pick(fitting) if fitting else None


def _compound(seconds: float) -> list[Span]:
    """1 h 30 min, 2 min 15 s."""
    for big, small, names in ((_HOUR, _MINUTE, ("h", "min")), (_MINUTE, 1.0, ("min", "s"))):
        whole, rest = divmod(round(seconds / small), round(big / small))
        size = whole * big + rest * small
        if 1 <= whole <= 48 and rest and abs(seconds - size) <= PRECISION * size:
            a, b = names
            return [Span(f"{whole} {a} {rest}", f" {b}", size), Span(f"{whole}{a}{rest}", b, size)]
    return []


def _and_a_half(seconds: float) -> list[Span]:
    """One and a half hours."""
    said = []
    for size, unit in _UNITS:
        whole = round(seconds / size - 0.5)
        stated = (whole + 0.5) * size
        if 1 <= whole <= 12 and abs(seconds - stated) <= PRECISION * stated:
            said.append(Span(f"{NUMBER_WORDS[whole]} and a half", f" {unit}s", stated))
    return said


def often(seconds: float, dice: Dice) -> tuple[str, Span] | None:
    """("", "4", " peaks per hour") or ("a peak ", "per hour", ""): what stands before, and the rate."""
    for size, unit in _UNITS:
        count = round(size / seconds)
        if not (1 <= count <= MOST_COUNT and abs(size / seconds - count) <= PRECISION * count):
            continue
        if count == 1:
            return f"{dice.pick(_ONE)} ", Span(f"per {unit}", "", size)
        an = "an" if unit == "hour" else "a"
        per = dice.pick((f"per {unit}", f"per {unit}", f"{an} {unit}", f"every {unit}"))
        noun = dice.pick((*_NOUNS, "times"))
        number = NUMBER_WORDS[count] if count <= 12 and dice() < 0.5 else str(count)
        return "", Span(number, f" {noun} {per}", 1.0 / (count / size))
    return None


def counted(steps: float, length: int, dice: Dice) -> Span | None:
    """Cycles in the whole window; the third field is the period in steps."""
    count = round(length / steps)
    if not LEAST_COUNT <= count <= MOST_COUNT or abs(length / count / steps - 1.0) > COUNTED:
        return None
    number = NUMBER_WORDS[count] if count <= 12 and dice() < 0.4 else str(count)
    return Span(number, f" {dice.pick(_NOUNS)}", length / count)
