"""Payloads that no honest worker or gateway sends, and with which codes each may be refused."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import pickle
import random
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from geng_edge.errors import MessageError
from geng_edge.wire import codec, codes
from geng_edge.wire.answer import Answer
from geng_edge.wire.condition import MOST_ANSWER_BYTES, Accepted, Ask, read_reply
from support.road import FINGERPRINT, answer, condition, weather

#: What a decoder that refused nothing says.
FINE = "accepted"
_OWN = "cd" * 32  # of the model at hand, in `foreign`
_WEIRD: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 2**70, 10**300, "", "x" * 5000, "\ud800", "\0", [], {}, [[]],
    {"a": {}}, "NaN", ["a"] * 50, "__class__", "\u202e", 1e-300, -0.0,
)  # fmt: skip


def verdict(payload: bytes, fingerprint: str = FINGERPRINT) -> str:
    """What the edge says to an answer: ``accepted``, or the code by which it refuses."""
    try:
        reply = read_reply(payload)
        if isinstance(reply, Accepted):
            reply.check_model(fingerprint)
    except MessageError as error:
        return error.code
    return FINE


def question_verdict(payload: bytes) -> str:
    """What a worker says to a question."""
    try:
        Ask.from_bytes(payload)
    except MessageError as error:
        return error.code
    return FINE


class Payloads:
    """Payloads by kind, the same for the same seed.

    Attributes:
        expected: Codes, or ``accepted``, that each kind may end in.
    """

    expected: ClassVar[dict[str, frozenset[str]]] = {
        "noise": frozenset({codes.NOT_JSON}),
        "pickle": frozenset({codes.NOT_JSON}),
        "cut": frozenset({codes.NOT_JSON}),
        "deep": frozenset({codes.NOT_JSON, codes.TOO_LARGE}),
        "marks": frozenset({codes.TOO_LARGE}),
        "ten megabytes": frozenset({codes.TOO_LARGE}),
        "changed bytes": frozenset(
            {FINE, codes.NOT_JSON, codes.SCHEMA, codes.LATENT, codes.DIGEST, codes.FOREIGN_MODEL}
        ),
        "changed value": frozenset(
            {FINE, codes.NOT_JSON, codes.SCHEMA, codes.LATENT, codes.DIGEST, codes.FOREIGN_MODEL}
        ),
        "other schema": frozenset({codes.SCHEMA}),
        "declared gigabyte": frozenset({codes.LATENT}),
        "pickled array": frozenset({codes.LATENT}),
        "not finite": frozenset({codes.LATENT}),
        "other sum": frozenset({codes.DIGEST}),
        "foreign": frozenset({codes.FOREIGN_MODEL}),
        "honest": frozenset({FINE}),
    }

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.honest = [_honest(answer()), _honest(weather())]
        self.large = b" " * 10_000_000
        assert len(self.large) > MOST_ANSWER_BYTES
        self.makers: dict[str, Callable[[], bytes]] = {
            "noise": lambda: self.random.randbytes(self.random.randrange(2000)),
            "pickle": lambda: pickle.dumps(self._tree(), protocol=self.random.randrange(2, 6)),
            "cut": self._cut,
            "deep": self._deep,
            "marks": lambda: b"{" + b'"a":[],' * self.random.randrange(40_000, 60_000),
            "ten megabytes": lambda: self.large,
            "changed bytes": self._changed_bytes,
            "changed value": self._changed_value,
            "other schema": self._other_schema,
            "declared gigabyte": lambda: self._with_npy(self._declared()),
            "pickled array": lambda: self._with_npy(_npy(np.array([self._tree()], dtype=object))),
            "not finite": lambda: self._with_npy(self._not_finite()),
            "other sum": lambda: self._with_npy(_npy(condition(2).array), "0" * 64),
            "foreign": lambda: self._edited(fingerprint=_OWN),
            "honest": lambda: self.random.choice(self.honest),
        }
        assert set(self.makers) == set(self.expected)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        kinds = list(self.makers)
        while True:
            kind = self.random.choice(kinds)
            yield kind, self.makers[kind]()

    def _edited(self, **changes: Any) -> bytes:
        return codec.encode({**json.loads(self.honest[0]), **changes})

    def _with_npy(self, npy: bytes, sha256: str | None = None) -> bytes:
        stated = sha256 or hashlib.sha256(npy).hexdigest()
        return self._edited(conditions=[{"sha256": stated, "npy": base64.b64encode(npy).decode()}])

    def _cut(self) -> bytes:
        whole = self.random.choice(self.honest)
        return whole[: self.random.randrange(len(whole))]

    def _deep(self) -> bytes:
        depth = self.random.randrange(2000, 80_000)
        return b"[" * depth if self.random.random() < 0.5 else b'{"a":' * depth

    def _changed_bytes(self) -> bytes:
        changed = bytearray(self.random.choice(self.honest))
        for _ in range(self.random.randrange(1, 4)):
            changed[self.random.randrange(len(changed))] = self.random.randrange(256)
        return bytes(changed)

    def _changed_value(self) -> bytes:
        tree = json.loads(self.random.choice(self.honest))
        places = list(_places(tree))
        holder, key = self.random.choice(places)
        choice = self.random.random()
        if choice < 0.2 and isinstance(holder, dict):
            del holder[key]
        elif choice < 0.4 and isinstance(holder, dict):
            holder[str(self._tree())[:40]] = self._tree()
        else:
            holder[key] = self.random.choice(_WEIRD)
        return json.dumps(tree).encode("utf-8", "surrogatepass")

    def _other_schema(self) -> bytes:
        other = ("geng/v1/condition/ask", "geng/v2/condition/answer", "", "geng", 7, None, [])
        return self._edited(schema=self.random.choice(other))

    def _declared(self) -> bytes:
        """A header that declares from a megabyte to beyond all memory, and a few bytes of it."""
        shape = self.random.choice(
            [(2**28, 1), (1, 2**28), (2**31, 2**31), (10**18, 10**18), (128, 4128), (2**63, 1)]
        )
        file = io.BytesIO()
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        return file.getvalue() + b"\0" * self.random.randrange(100)

    def _not_finite(self) -> bytes:
        values = condition(2).array.copy()
        place = self.random.randrange(values.size)
        values.flat[place] = self.random.choice([np.nan, np.inf, -np.inf])
        return _npy(values)

    def _tree(self) -> Any:
        return {"schema": "geng/v1/condition/answer", "at": self.random.randrange(1000)}


def _honest(said: Answer) -> bytes:
    made = tuple(condition(2, seed=i) for i in range(len(said.channels)))
    return Accepted("transaction-1", said, made, FINGERPRINT, "worker-1").to_bytes()


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()
