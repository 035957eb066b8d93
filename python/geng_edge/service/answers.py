"""From a checked request to the bytes of its answer: the only page of the service that knows the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from geng_edge.condition import Condition
from geng_edge.errors import ArgumentError, GengError, MissingExtraError
from geng_edge.generator import Generator, Progress
from geng_edge.series import Series
from geng_edge.service.ask import FORMATS, Ask

#: RFC 8746: an array of float32, little endian.
FLOAT32_LE = 85
_CONDITIONS_KEPT = 64
_LONGEST_SENTENCE = 1000
ERROR_TYPE = "application/json"


class Answers:
    """A model and what turns requests into series with it."""

    def __init__(
        self, generator: Generator, fetch: Callable[[str], Condition] | None = None
    ) -> None:
        """Take a loaded model.

        Args:
            generator: The model.
            fetch: The condition of a task: from a cache or from the cloud, within its own deadline.
                None where this gateway has neither.
        """
        self.generator = generator
        self._fetch = fetch
        self._encode = lru_cache(_CONDITIONS_KEPT)(self._encoded)

    def check(self, ask: Ask) -> None:
        """Refuse what can be refused without sampling.

        Raises:
            ArgumentError: The condition is another model's, or settings do not fit this model.
            MissingExtraError: What the request needs is not installed on this gateway.
        """
        if ask.format == "cbor":
            _cbor2()
        if ask.source == "condition":
            self.generator.check(decode_condition(ask.what, self.generator))
        elif ask.source == "task" and self._fetch is None:
            raise MissingExtraError(
                "this gateway has no cloud to ask for a task; send text or a condition"
            )

    def condition(self, ask: Ask) -> Condition:
        """The condition that a request names.

        Raises:
            GengError: It cannot be made or fetched.
        """
        if ask.source == "text":
            return self._encode(ask.what, ask.interval)
        if ask.source == "condition":
            return decode_condition(ask.what, self.generator)
        if self._fetch is None:
            raise MissingExtraError("this gateway has no cloud to ask for a task")
        return self._fetch(ask.what)

    def _encoded(self, text: str, interval: float) -> Condition:
        return Condition.from_text(text, interval, self.generator)

    def series(self, ask: Ask, progress: Progress | None = None) -> Series:
        """Sample.

        Raises:
            GengError: As :meth:`geng_edge.Generator.generate`.
        """
        settings: dict[str, Any] = vars(ask.request).copy()
        settings.pop("strength")
        return self.generator.generate(
            self.condition(ask),
            settings.pop("count"),
            **settings,
            interval=ask.interval,
            start=ask.start,
            unit=ask.unit,
            progress=progress,
        )


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
        name: cbor2.CBORTag(FLOAT32_LE, row.astype("<f4").tobytes())
        for name, row in zip(series.names, np.ascontiguousarray(series.values), strict=True)
    }
    facts = {"start": series.start, "interval": series.interval, "unit": series.unit}
    return bytes(cbor2.dumps({**facts, "series": rows})), FORMATS[form]


def refusal(error: GengError, **facts: object) -> bytes:
    """A rejection as JSON: its code and its sentence."""
    sentence = str(error)[:_LONGEST_SENTENCE]
    return json.dumps({**facts, "code": error.code, "sentence": sentence}).encode()


def _cbor2() -> Any:
    try:
        import cbor2
    except ImportError as error:
        raise MissingExtraError(
            "cbor2 is not installed; cbor needs it: pip install 'geng-edge[cbor]'", extra="cbor"
        ) from error
    return cbor2


def decode_condition(value: Any, generator: Generator) -> Condition:
    """The condition in a message."""
    raise ArgumentError("condition is not taken yet")
