"""A request to the gateway: bytes from a stranger, read and checked before anything is stored.

The same object by MQTT and by HTTP (:data:`EXAMPLE`). What it may hold are the settings of
:class:`geng_edge.request.Request` by their names; ``interval``, ``start`` and ``unit`` as ``geng-edge
sample`` takes them; and what only a service needs: ``id``, ``format``, ``deadline`` and ``replay``. What
the command line refuses is refused here with the same sentence.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from geng_edge.condition import check_interval, check_text, check_unicode
from geng_edge.errors import ArgumentError
from geng_edge.request import Request
from geng_edge.series import DEFAULT_START, moments_of
from geng_edge.service.errors import TooLargeError
from geng_edge.wire import fields

EXAMPLE = """{"id": "week-17", "text": "a daily cycle between 18 and 23 degC, low noise", "count": 1,
"length": 1008, "interval": 600, "unit": "degC", "seed": 7, "format": "csv", "deadline": 30}"""

FORMATS = {"csv": "text/csv", "json": "application/json", "cbor": "application/cbor"}
DEFAULT_DEADLINE = 60.0
LONGEST_DEADLINE = 86_400.0
FASTEST = 1e6
#: Names of requests and sensors: they stand in topics and in URLs.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SOURCES = ("text", "task", "condition")
_SETTINGS = ("count", "length", "steps", "solver", "guidance", "eta", "seed")
_OTHERS = ("id", "interval", "start", "unit", "format", "deadline", "replay")


@dataclass(frozen=True)
class Limits:
    """What one request may cost this gateway; said in its birth message.

    Attributes:
        payload: Bytes of a request.
        values: count x length of a request.
        deadline: Seconds.
    """

    payload: int = 512 * 1024
    values: int = 262_144
    deadline: float = LONGEST_DEADLINE

    def to_dict(self) -> dict[str, float]:
        """As it stands in the birth message."""
        return asdict(self)


@dataclass(frozen=True)
class Replay:
    """The wish for a virtual sensor that speaks at the pace of its series.

    Attributes:
        sensor: Its name in topics.
        speed: Seconds of the series in a second, 0.001 to 1e6.
        repeat: Whether it goes on with the next seed when the series has ended.
        device_class: What Home Assistant takes it for, such as ``temperature``; empty for nothing.
    """

    sensor: str
    speed: float = 1.0
    repeat: bool = False
    device_class: str = ""

    @classmethod
    def from_dict(cls, value: object) -> Replay:
        """Read and check an object.

        Raises:
            ArgumentError: It is no such wish.
        """
        found = fields.keys(value, "replay", ("sensor",), ("speed", "repeat", "device_class"))
        word = fields.text(found.get("device_class", ""), "device_class", 40)
        if word and not _WORD.fullmatch(word):
            raise fields.refuse("device_class", word, "lower-case letters, digits and _")
        return cls(
            name_of(found["sensor"], "sensor"),
            fields.number(found.get("speed", 1.0), "speed", 1e-3, FASTEST),
            fields.truth(found.get("repeat", False), "repeat"),
            word,
        )


@dataclass(frozen=True)
class Ask:
    """A request, checked.

    Attributes:
        id: The caller's name for it.
        source: ``text``, ``task`` or ``condition``: what the series is asked by.
        what: The description, the task, or the condition's object of :mod:`geng_edge.wire`.
        request: Settings of the generation.
        interval, start, unit: As in :meth:`geng_edge.Generator.generate`.
        format: ``csv``, ``json`` or ``cbor``.
        deadline: Seconds that the answer is waited for.
        replay: Where the series becomes a virtual sensor instead of an answer.
    """

    id: str
    source: str
    what: Any
    request: Request
    interval: float = 1.0
    start: str = DEFAULT_START
    unit: str = ""
    format: str = "csv"
    deadline: float = DEFAULT_DEADLINE
    replay: Replay | None = None

    @classmethod
    def read(cls, payload: bytes, limits: Limits, name: str | None = None) -> Ask:
        """Read and check bytes.

        Args:
            payload: JSON in UTF-8, of ``limits.payload`` bytes at most.
            limits: What this gateway takes.
            name: The id where the payload has none.

        Raises:
            TooLargeError: The payload, or what it asks for, is too large.
            ArgumentError: It is no request.
        """
        found = read_object(payload, limits.payload, "request")
        if name is not None:
            found = {"id": name, **found}
        try:
            return cls.from_dict(found, limits)
        except RecursionError as error:  # a sentence about a value that is nested too deep to show
            raise ArgumentError("request is nested too deep; it must be a flat object") from error

    @classmethod
    def from_dict(cls, value: object, limits: Limits) -> Ask:
        """Read and check an object.

        Raises:
            TooLargeError: It asks for too much.
            ArgumentError: It is no request.
        """
        found = fields.keys(value, "request", ("id",), (*_SOURCES, *_SETTINGS, *_OTHERS))
        source, what = _source(found)
        for key in ("guidance", "eta"):  # JSON's "1.5" is no number
            if found.get(key) is not None:
                fields.number(found[key], key)
        request = Request(**{key: found[key] for key in _SETTINGS if key in found})
        if request.count * request.length > limits.values:
            raise TooLargeError(
                f"count x length is {request.count * request.length}; this gateway gives at most "
                f"{limits.values} values",
                name="count",
            )
        interval = fields.number(found.get("interval", 1.0), "interval")
        check_interval(interval)
        start = fields.text(found.get("start", DEFAULT_START), "start", 40)
        moments_of(start, interval, 1, request.length - 1)
        unit = fields.text(found.get("unit", ""), "unit", 40)
        check_unicode("unit", unit)
        replay = found.get("replay")
        return cls(
            name_of(found["id"], "id"),
            source,
            what,
            request,
            interval,
            start,
            unit,
            fields.word(found.get("format", "csv"), "format", tuple(FORMATS)),
            fields.number(
                found.get("deadline", min(DEFAULT_DEADLINE, limits.deadline)),
                "deadline",
                1e-3,
                limits.deadline,
            ),
            Replay.from_dict(replay) if replay is not None else None,
        )

    def to_json(self) -> bytes:
        """The one way to write it: what the ledger keeps, and what makes it the same request again."""
        found: dict[str, Any] = {"id": self.id, self.source: self.what}
        found |= {key: getattr(self.request, key) for key in _SETTINGS}
        for key in _OTHERS[1:-1]:
            found[key] = getattr(self, key)
        for key in ("solver", "guidance"):
            if found[key] is None:
                del found[key]
        if self.replay is not None:
            found["replay"] = vars(self.replay)
        return json.dumps(found, separators=(",", ":"), sort_keys=True).encode()

    def digest(self, topic: str = "", correlation: bytes | None = None) -> bytes:
        """sha256 of the request and of the way back."""
        parts = (self.to_json(), topic.encode(), correlation or b"")
        return hashlib.sha256(b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()

    def most_bytes(self) -> int:
        """Most bytes that the answer takes: 16 a value and 28 a stamp cover every format."""
        count, length = self.request.count, self.request.length
        return 4096 + 28 * length + 16 * count * (length + 2)


def _source(found: Mapping[str, Any]) -> tuple[str, Any]:
    named = [key for key in _SOURCES if found.get(key) is not None]
    if len(named) != 1:
        raise ArgumentError(
            f"request has {' and '.join(named) or 'none'} of text, task, condition; it must have one"
        )
    source = named[0]
    what = found[source]
    if source == "text":
        if not isinstance(what, str):
            raise fields.refuse("text", what, "text")
        check_text(what)
    elif source == "task":
        fields.text(what, "task", 2000, 1)
    elif not isinstance(what, Mapping):
        raise fields.refuse("condition", what, "an object")
    return source, what


def name_of(value: object, name: str) -> str:
    """A name that may stand in a topic and in a URL.

    Raises:
        ArgumentError: It is none.
    """
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise fields.refuse(
            name, value, "1 to 64 letters, digits, dots, hyphens or _, the first no sign"
        )
    return value


def read_object(payload: bytes, most: int, name: str) -> dict[str, Any]:
    """A JSON object, of bounded size, with every key once and no NaN.

    Raises:
        TooLargeError: It has more than ``most`` bytes; nothing was decoded.
        ArgumentError: It is no JSON object.
    """
    if len(payload) > most:
        raise TooLargeError(f"{name} is {len(payload)} bytes; it must be at most {most}")
    try:
        found = json.loads(
            payload.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except ArgumentError:
        raise
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"{name} is no JSON ({error}); it must be a JSON object") from error
    if not isinstance(found, dict):
        raise fields.refuse(name, type(found).__name__, "a JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ArgumentError("request has a key twice; it must have each once")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ArgumentError(f"request holds {word}; it must hold finite numbers")
