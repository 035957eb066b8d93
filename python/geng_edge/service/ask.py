"""A request for a series: bytes from a stranger, read and checked before anything is stored.

The same object by MQTT and by HTTP (:data:`EXAMPLE`). What it may hold are the settings of
:class:`geng_edge.request.Request` by their names; ``interval``, ``start`` and ``unit`` as ``geng-edge
sample`` takes them; and what only a service needs: ``transaction``, ``format``, ``lifetime`` and
``replay``. What the command line refuses is refused here with the same sentence.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from geng_edge.condition import LONGEST_UNIT, Condition, check_interval, check_text, check_unit
from geng_edge.errors import ArgumentError, MessageError
from geng_edge.request import LONGEST, LONGEST_CHAIN, Request
from geng_edge.series import DEFAULT_START, moments_of
from geng_edge.service.entries import Asked
from geng_edge.wire import codec, codes, fields, topics
from geng_edge.wire.answer import MOST_TASK
from geng_edge.wire.condition import (
    DEFAULT_LIFE,
    LONGEST_LIFE,
    check_model,
    check_transaction,
    unpack,
)

SCHEMA = "geng/v1/series/ask"
EXAMPLE = """{"schema": "geng/v1/series/ask", "transaction": "week-0017", "text": "a daily cycle between
18 and 23 degC, low noise", "length": 1008, "interval": 600, "unit": "degC", "seed": 7, "format": "csv"}"""

FORMATS = {"csv": "text/csv", "json": "application/json", "cbor": "application/cbor"}
SHORTEST_LIFE = 1e-3
SLOWEST, FASTEST = 1e-3, 1e6
_SOURCES = ("text", "task", "condition")
_SETTINGS = ("count", "length", "steps", "solver", "guidance", "eta", "seed")
_OTHERS = ("interval", "start", "unit", "format", "lifetime", "replay")
#: What the cloud's answer says, so that a request with a task must not.
_ANSWERED = ("length", "steps", "solver", "guidance", "eta", "interval", "unit", "replay")


@dataclass(frozen=True)
class Limits:
    """What one request may cost this gateway; said in its birth message.

    Attributes:
        payload: Bytes of a request.
        values: count x length of a request.
        lifetime: Seconds.
    """

    payload: int = 512 * 1024
    values: int = 262_144
    lifetime: float = LONGEST_LIFE

    @property
    def most_bytes(self) -> int:
        """Bytes of the largest request and its answer."""
        length = min(self.values, LONGEST_CHAIN)
        return self.payload + most_bytes(-(-self.values // length), length)


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
        if word:
            topics.check_id(word, "device_class")
        return cls(
            topics.check_id(fields.text(found["sensor"], "sensor", 63), "sensor"),
            fields.number(found.get("speed", 1.0), "speed", SLOWEST, FASTEST),
            fields.truth(found.get("repeat", False), "repeat"),
            word,
        )


@dataclass(frozen=True)
class Ask:
    """A request, checked.

    Attributes:
        transaction: The caller's name for it; who asks again after silence keeps it.
        source: ``text``, ``task`` or ``condition``: what the series is asked by.
        what: The description, the task, or the condition as it was sent.
        request: Settings of the generation.
        interval, start, unit: As in :meth:`geng_edge.Generator.generate`.
        format: ``csv``, ``json`` or ``cbor``.
        lifetime: Seconds that the answer is waited for.
        replay: Where the series becomes a virtual sensor instead of an answer.
        most_values: Of the gateway, for what a task turns out to need.
    """

    transaction: str
    source: str
    what: Any
    request: Request
    interval: float = 1.0
    start: str = DEFAULT_START
    unit: str = ""
    format: str = "csv"
    lifetime: float = DEFAULT_LIFE
    replay: Replay | None = None
    most_values: int = Limits.values

    @classmethod
    def read(cls, payload: bytes, limits: Limits, size: int | None = None) -> Ask:
        """Read and check bytes.

        Args:
            payload: JSON in UTF-8, of ``limits.payload`` bytes at most.
            limits: What this gateway takes.
            size: Bytes that it had, where a link let go of them.

        Raises:
            MessageError: ``too_large``, ``not_json`` or ``schema``.
            ArgumentError: A setting is refused.
        """
        return cls.from_dict(codec.load(payload, limits.payload, size=size), limits)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], limits: Limits) -> Ask:
        """Read and check an object.

        Raises:
            MessageError: ``schema``, or ``too_large`` for what it asks.
            ArgumentError: A setting is refused.
        """
        try:
            optional = (*_SOURCES, *_SETTINGS, *_OTHERS)
            found = fields.keys(value, "request", ("schema", "transaction"), optional)
            fields.word(found["schema"], "schema", (SCHEMA,))
            transaction = check_transaction(found["transaction"])
            source, what = _source(found)
        except ArgumentError as error:
            raise codec.as_schema_error(error) from error
        if source == "text":
            check_text(what)
        if source == "task":
            for key in _ANSWERED:
                if key in found:
                    raise ArgumentError(
                        f"{key} is given with a task; it comes from the cloud's answer", name=key
                    )
        request = _request(found, limits)
        interval = fields.number(found.get("interval", 1.0), "interval")
        check_interval(interval)
        start = fields.text(found.get("start", DEFAULT_START), "start", 40)
        moments_of(start, interval, 1, request.length - 1)
        unit = fields.text(found.get("unit", ""), "unit", LONGEST_UNIT)
        check_unit(unit)
        life = found.get("lifetime", min(DEFAULT_LIFE, limits.lifetime))
        replay = found.get("replay")
        return cls(
            transaction,
            source,
            what,
            request,
            interval,
            start,
            unit,
            fields.word(found.get("format", "csv"), "format", tuple(FORMATS)),
            fields.number(life, "lifetime", SHORTEST_LIFE, limits.lifetime),
            _replay(replay, request) if replay is not None else None,
            limits.values,
        )

    def to_bytes(self) -> bytes:
        """The one way to write it: what the ledger keeps, and what makes it the same request again."""
        found: dict[str, Any] = {"schema": SCHEMA, "transaction": self.transaction}
        found[self.source] = self.what
        found |= {key: getattr(self.request, key) for key in _SETTINGS}
        found |= {key: getattr(self, key) for key in _OTHERS}
        if self.replay is not None:
            found["replay"] = asdict(self.replay)
        unsaid = _ANSWERED if self.source == "task" else ()
        said = {k: v for k, v in found.items() if v is not None and k not in unsaid}
        return codec.encode(said)

    def asked(self, road: str, topic: str = "", correlation: bytes | None = None) -> Asked:
        """The request as the ledger takes it, with its way back."""
        body = self.to_bytes()
        parts = (body, road.encode(), topic.encode(), correlation or b"")
        digest = hashlib.sha256(b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()
        until = time.time() + self.lifetime
        return Asked(
            self.transaction, road, body, digest, until, self._reserve(), topic, correlation
        )

    def condition(self, fingerprint: str) -> Condition:
        """The condition of a request that brings one.

        Args:
            fingerprint: Of the f of the model at hand.

        Raises:
            MessageError: ``schema``, ``latent``, ``digest`` or ``foreign_model``.
        """
        try:
            found = fields.keys(self.what, "condition", ("npy", "sha256", "fingerprint"))
            packed = {key: found[key] for key in ("npy", "sha256")}
            condition = unpack(packed, "condition")
            of = fields.text(found["fingerprint"], "condition.fingerprint", 64, 1)
        except ArgumentError as error:
            raise codec.as_schema_error(error) from error
        check_model(of, fingerprint)
        return condition

    def _reserve(self) -> int:
        """Most bytes that the answer takes; of a task, whose size only the cloud knows, a window's."""
        if self.replay is not None:
            return most_bytes(0, 0)
        count, length = self.request.count, self.request.length
        if self.source == "task":
            length = min(LONGEST, self.most_values // count)
        return most_bytes(count, length)


def most_bytes(rows: int, length: int) -> int:
    """Most bytes of an answer: 16 a value and 28 a stamp cover every format, 4096 any message."""
    return 4096 + 28 * length + 16 * rows * (length + 2)


def _source(found: Mapping[str, Any]) -> tuple[str, Any]:
    named = [key for key in _SOURCES if found.get(key) is not None]
    if len(named) != 1:
        raise ArgumentError(
            f"request has {' and '.join(named) or 'none'} of text, task, condition; it must have one"
        )
    source = named[0]
    what = found[source]
    if source == "task":
        fields.text(what, "task", MOST_TASK, 1)
    elif source == "text" and not isinstance(what, str):
        raise fields.refuse("text", what, "text")
    elif source == "condition" and not isinstance(what, Mapping):
        raise fields.refuse("condition", what, "an object")
    return source, what


def _request(found: Mapping[str, Any], limits: Limits) -> Request:
    settings = {key: found[key] for key in _SETTINGS if key in found}
    for key in ("guidance", "eta"):
        if settings.get(key) is not None:  # JSON's "1.5" is no number, and its 1 is one
            settings[key] = fields.number(settings[key], key)
    request = Request(**settings)
    if request.count * request.length > limits.values:
        raise MessageError(
            f"count x length is {request.count * request.length}; this gateway gives at most "
            f"{limits.values} values",
            codes.TOO_LARGE,
        )
    return request


def _replay(value: object, request: Request) -> Replay:
    if request.count != 1:
        raise ArgumentError(f"count is {request.count}; it must be 1 for a sensor", name="count")
    return Replay.from_dict(value)
