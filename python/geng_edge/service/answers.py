"""From a checked request to the bytes of its answer: the one page of the service that knows the model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from geng_edge.condition import Condition
from geng_edge.drawn import Plan, draw
from geng_edge.errors import GengError, MessageError, MissingExtraError
from geng_edge.generator import Generator, Progress
from geng_edge.numbers import WINDOW
from geng_edge.series import Series
from geng_edge.service.ask import FORMATS, Ask
from geng_edge.wire import codec, codes
from geng_edge.wire.condition import Accepted, check_transaction
from geng_edge.wire.fingerprint import fingerprint

ANSWER_SCHEMA = "geng/v1/series/answer"
JSON = "application/json"
#: RFC 8746: an array of float32, little endian.
FLOAT32_LE = 85
_CONDITIONS_KEPT = 64
_LONGEST_SENTENCE = 500
#: Seconds that the cloud may take, at most: meanwhile the worker does nothing else.
_LONGEST_FETCH = 20.0


Fetch = Callable[[str, float], Accepted]


class Answers:
    """A model and what turns requests into series with it."""

    def __init__(self, generator: Generator, fetch: Fetch | None = None) -> None:
        """Take a loaded model.

        Args:
            generator: The model.
            fetch: The cloud's answer to a task, within a number of seconds, or the one that is
                kept. None where this gateway has neither.
        """
        self.generator = generator
        self.fingerprint = fingerprint(generator)
        self._fetch = fetch
        self._one_at_a_time = threading.Lock()
        self._kept = lru_cache(_CONDITIONS_KEPT)(self._encoded)

    def check(self, ask: Ask) -> None:
        """Refuse what can be refused without sampling.

        Raises:
            MessageError: The condition is damaged or another model's, or no cloud knows the task.
            ArgumentError: The condition does not fit this model.
            MissingExtraError: What the request needs is not installed on this gateway.
        """
        if ask.format == "cbor":
            _cbor2()
        if ask.source == "condition":
            self.generator.check(ask.condition(self.fingerprint))
        elif ask.source == "task":
            self._cloud()

    def encoded(self, text: str, interval: float, length: int = WINDOW) -> Condition:
        """The condition of a description for a series of ``length`` steps; the last 64 are kept.

        Raises:
            GengError: As :meth:`geng_edge.Condition.from_text`.
        """
        with self._one_at_a_time:
            return self._kept(text, interval, length)

    def _encoded(self, text: str, interval: float, length: int) -> Condition:
        return Condition.from_text(text, interval, self.generator, length)

    def _cloud(self) -> Fetch:
        if self._fetch is None:
            raise MessageError(
                "this gateway has no cloud to ask for a task; the request must have text or a "
                "condition",
                codes.UNANSWERABLE,
            )
        return self._fetch

    def series(self, ask: Ask, seed: int, seconds: float, progress: Progress | None) -> Series:
        """Sample.

        Args:
            ask: What.
            seed: In place of the request's own, for a sensor that goes on.
            seconds: How long the cloud may take for a task.
            progress: As in :meth:`geng_edge.Generator.generate`.

        Raises:
            GengError: As :meth:`geng_edge.Generator.generate`.
        """
        if ask.source == "task":
            return self._of_task(ask, seed, seconds, progress)
        if ask.source == "text":
            condition = self.encoded(ask.what, ask.interval, ask.request.length)
        else:
            condition = ask.condition(self.fingerprint)
        settings: dict[str, Any] = {**vars(ask.request), "seed": seed}
        del settings["strength"]
        return self.generator.generate(
            condition,
            settings.pop("count"),
            **settings,
            interval=ask.interval,
            start=ask.start,
            unit=ask.unit,
            progress=progress,
        )

    def _of_task(self, ask: Ask, seed: int, seconds: float, progress: Progress | None) -> Series:
        reply = self._cloud()(ask.what, min(seconds, _LONGEST_FETCH))
        plan, count = Plan.of(reply), ask.request.count
        values = count * len(plan.parts) * plan.length
        if values > ask.most_values:
            raise MessageError(
                f"count x channels x length is {values}; this gateway gives at most "
                f"{ask.most_values} values",
                codes.TOO_LARGE,
            )
        return draw(self.generator, plan, count, seed=seed, start=ask.start, progress=progress)


def encode(series: Series, form: str) -> tuple[bytes, str]:
    """The bytes of a series, and their content type.

    CSV and JSON are as :class:`geng_edge.Series` writes them to files. CBOR has the keys of the JSON, and
    each series as a tagged array of float32 (RFC 8746).

    Raises:
        MissingExtraError: CBOR without cbor2.
    """
    if form == "csv":
        return b"".join(series.to_csv()), FORMATS[form]
    if form == "json":
        return b"".join(series.to_json()), FORMATS[form]
    cbor2 = _cbor2()
    rows = {
        name: cbor2.CBORTag(FLOAT32_LE, np.asarray(row, "<f4").tobytes())
        for name, row in zip(series.names, series.values, strict=True)
    }
    facts = {"start": series.start, "interval": series.interval, "unit": series.unit}
    return bytes(cbor2.dumps({**facts, "series": rows})), FORMATS[form]


def message(transaction: str, status: str, **facts: object) -> bytes:
    """What is said about a request, beside a result."""
    return codec.encode(
        {"schema": ANSWER_SCHEMA, "transaction": transaction, "status": status, **facts}
    )


def refusal(error: GengError, transaction: str = "") -> bytes:
    """A rejection: its code and its sentence, cut to 500 characters."""
    sentence = str(error)[:_LONGEST_SENTENCE].encode("utf-8", "replace").decode()
    return message(transaction, "rejected", code=error.code, sentence=sentence)


def named(value: object) -> str:
    """The transaction of a request that may be refused: empty where it is none."""
    try:
        return check_transaction(value)
    except GengError:
        return ""


def _cbor2() -> Any:
    try:
        import cbor2
    except ImportError as error:
        raise MissingExtraError(
            "cbor2 is not installed; cbor needs it: pip install 'geng-edge[cbor]'", extra="cbor"
        ) from error
    return cbor2
