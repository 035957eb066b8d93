"""What a condition claims: the model's own reading of the description behind it.

The claims reader of the model (metadata ``geng.claims`` names its fields and answers) says what is
stated in words, the number reader says the numbers. Together they are the claims that
:mod:`geng_edge.verify` holds a series against, also where only a latent condition is at hand.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from geng_edge.claims import ANYWHERE, STATED, Claims, Event
from geng_edge.errors import ArgumentError, ModelFileError
from geng_edge.number_channels import as_written
from geng_edge.numbers import LARGEST_NUMBER

if TYPE_CHECKING:
    from geng_edge.condition import Condition
    from geng_edge.generator import Generator

UNSAID = "unsaid"
#: A position read off words is known to a tenth of the window.
_IN_WORDS = 0.12
_KINDS = {
    "spike": ("spike", 1),
    "dip": ("dip", -1),
    "shift up": ("shift", 1),
    "shift down": ("shift", -1),
    "dropout": ("dropout", 1),
}


def read_claims(
    generator: Generator, condition: Condition, length: int = 512, interval: float = 1.0
) -> Claims:
    """What the description behind ``condition`` states, also where it contradicts itself.

    Args:
        generator: A model with a claims reader.
        condition: Z_x of the description.
        length: Steps of the series, which places events given in steps.
        interval: Seconds between steps.

    Raises:
        ArgumentError: The model has no claims reader.
        ModelFileError: The model names no fields that fit its reader.
    """
    generator.check(condition)
    if "geng.claims" not in generator.model.metadata:
        raise ArgumentError(
            f"{generator.path} has no claims reader; it must have one, or claims must be given"
        )
    said = _answers(generator, condition)
    reading = generator.read_numbers(condition, length)
    frame, roles = reading["frame"], reading["roles"]
    low, high, mean = (_stated(roles, name) for name in ("low", "high", "mean"))
    if frame["has_range"] and frame["has_level"]:  # by both limits, or an amplitude and a level
        low = as_written(frame["low_centre"])
        high = as_written(frame["low_centre"] + frame["range_centre"])
    periods = tuple(
        as_written(frame[f"{name}_centre"])
        for name in ("period", "period2")
        if frame[f"has_{name}"] and said["periodic"] != "no"
    )
    return Claims(
        trend=None if said["trend"] == UNSAID else said["trend"],
        periodic=True if periods else {"yes": True, "no": False}.get(said["periodic"]),
        periods=periods,
        low=low,
        high=high,
        mean=mean,
        events=stated_events(said, frame),
        interval=interval,
        length=length,
    )


def _stated(roles: dict[str, Any], name: str) -> float | None:
    """The number of a role; None where there is none that a series could have."""
    value = float(roles[name]["value"]) if name in roles else math.inf
    return as_written(value) if abs(value) <= LARGEST_NUMBER else None


def _answers(generator: Generator, condition: Condition) -> dict[str, str]:
    scores = generator.model.read_claims(condition.array)
    fields = _fields(str(generator.model.metadata["geng.claims"]))
    if sum(map(len, fields.values())) != len(scores):
        raise ModelFileError(
            f"{generator.path}: geng.claims has {sum(map(len, fields.values()))} answers; "
            f"its reader has {len(scores)}",
            path=generator.path,
        )
    said: dict[str, str] = {}
    at = 0
    for name, answers in fields.items():
        said[name] = answers[int(scores[at : at + len(answers)].argmax())]
        at += len(answers)
    return said


def _fields(text: str) -> dict[str, list[str]]:
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    needed = {"trend", "periodic", "anomaly", "position", *_KINDS}
    good = (
        isinstance(fields, dict)
        and needed <= set(fields)
        and all(isinstance(a, list) and a and all(isinstance(x, str) for x in a)
                for a in fields.values())
    )  # fmt: skip
    if not good:
        raise ModelFileError("geng.claims of the model is no list of answers for every field")
    return dict(fields)


def stated_events(said: dict[str, str], frame: dict[str, Any]) -> tuple[Event, ...] | None:
    """The events that are stated; None where the text says neither that there are nor are none.

    Args:
        said: Field -> answer of the claims reader.
        frame: What the number reader makes of the numbers.
    """
    if said["anomaly"] == "no":
        return ()
    kinds = [_KINDS[name] for name in _KINDS if said[name] == "yes"]
    if said["anomaly"] != "yes" or not kinds:
        return None
    if len(kinds) > 2:  # which of them is where is not read
        return tuple(Event(kind, 0.5, direction, ANYWHERE) for kind, direction in kinds)
    if len(kinds) == 1 and frame["has_position2"]:
        kinds *= 2
    return tuple(
        _placed(kind, direction, name, said, frame)
        for (kind, direction), name in zip(kinds, ("position", "position2"), strict=False)
    )


def _placed(
    kind: str, direction: int, name: str, said: dict[str, str], frame: dict[str, Any]
) -> Event:
    """An event at the place that the text gives it in numbers, in words, or not at all."""
    if frame[f"has_{name}"]:
        return Event(kind, float(frame[f"{name}_centre"]), direction, STATED)
    word = said.get(name, UNSAID)
    if word != UNSAID:
        return Event(kind, float(word), direction, _IN_WORDS)
    return Event(kind, 0.5, direction, ANYWHERE)
