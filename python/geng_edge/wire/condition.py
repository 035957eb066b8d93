"""Asking the cloud for conditions, and what it replies: one JSON object each, over MQTT and HTTP alike.

Z_x travels inside the answer as the bytes of its .npy file in base64, with their SHA-256 beside them:
one message, the same for MQTT 5, MQTT 3.1.1 and HTTP, that arrives whole or not at all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from geng_edge.condition import MAX_TOKENS, MAX_WIDTH, Condition
from geng_edge.errors import ArgumentError, GengError, MessageError
from geng_edge.npy import MAX_HEADER
from geng_edge.wire import codec, codes, fields
from geng_edge.wire.answer import MOST_CHANNELS, MOST_TASK, Answer

ASK_SCHEMA = "geng/v1/condition/ask"
ANSWER_SCHEMA = "geng/v1/condition/answer"
MOST_ASK_BYTES = 32 * 2**10
MOST_ANSWER_BYTES = 8 * 2**20
MOST_SEED = 2**32 - 1
SHORTEST_LIFE, LONGEST_LIFE = 1.0, 86_400.0
DEFAULT_LIFE = 60.0
_MOST_NPY = 12 + MAX_HEADER + 4 * MAX_TOKENS * MAX_WIDTH
_MOST_SENTENCE = 500
_TRANSACTION = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def new_transaction() -> str:
    """An id that no other request has."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Ask:
    """A question for a condition.

    Attributes:
        task: What is wanted, as the user wrote it.
        transaction: 8 to 64 letters, digits, hyphens and underscores; who asks again after silence
            keeps it.
        seed: Same task, seed, worker's model: the same answer.
        lifetime: Seconds that the asker waits.
        fingerprint: Of the f of the model at hand (:mod:`geng_edge.wire.fingerprint`); None for any.
    """

    task: str
    transaction: str = field(default_factory=new_transaction)
    seed: int = 0
    lifetime: float = DEFAULT_LIFE
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        fields.text(self.task, "task", MOST_TASK, 1)
        _matching(self.transaction, "transaction", _TRANSACTION, "8 to 64 of A-Z a-z 0-9 _ -")
        fields.whole(self.seed, "seed", 0, MOST_SEED)
        life = fields.number(self.lifetime, "lifetime", SHORTEST_LIFE, LONGEST_LIFE)
        object.__setattr__(self, "lifetime", life)
        if self.fingerprint is not None:
            _matching(self.fingerprint, "fingerprint", _SHA256, "64 hexadecimal digits")

    def to_bytes(self) -> bytes:
        """As it goes over the wire."""
        return codec.encode({"schema": ASK_SCHEMA, **vars(self)})

    @classmethod
    def from_bytes(cls, payload: bytes, size: int | None = None) -> Ask:
        """Read and check a payload.

        Args:
            payload: As it came.
            size: Bytes that it had, where a link let go of them.

        Raises:
            MessageError: ``too_large``, ``not_json`` or ``schema``.
        """
        found = codec.decode(payload, MOST_ASK_BYTES, ASK_SCHEMA, size=size)
        del found["schema"]
        try:
            return cls(**fields.keys(found, "ask", ("task", "transaction"),
                                     ("seed", "lifetime", "fingerprint")))  # fmt: skip
        except ArgumentError as error:
            raise codec.as_schema_error(error) from error


@dataclass(frozen=True, eq=False)
class Accepted:
    """An answer with its conditions.

    Attributes:
        transaction: Of the question.
        answer: What the cloud says the series looks like.
        conditions: Z_x of each channel's description, in the order of the channels.
        fingerprint: Of the f that made them.
        worker: Who answered.
    """

    transaction: str
    answer: Answer
    conditions: tuple[Condition, ...]
    fingerprint: str
    worker: str = ""

    def __post_init__(self) -> None:
        if len(self.conditions) != len(self.answer.channels):
            raise ArgumentError(
                f"answer has {len(self.answer.channels)} channels and {len(self.conditions)} "
                "conditions; it must have one for each"
            )

    def to_bytes(self) -> bytes:
        """As it goes over the wire.

        Raises:
            MessageError: ``too_large``.
        """
        payload = codec.encode(
            {
                "schema": ANSWER_SCHEMA,
                "transaction": self.transaction,
                "status": "accepted",
                "worker": self.worker,
                "answer": self.answer.to_dict(),
                "fingerprint": self.fingerprint,
                "conditions": [pack(condition) for condition in self.conditions],
            }
        )
        if len(payload) > MOST_ANSWER_BYTES:
            raise MessageError(
                f"answer is {len(payload)} bytes; it must be at most {MOST_ANSWER_BYTES}",
                codes.TOO_LARGE,
            )
        return payload

    def check_model(self, fingerprint: str) -> None:
        """Refuse conditions that another f made than the one of the model at hand.

        Raises:
            MessageError: ``foreign_model``.
        """
        check_model(self.fingerprint, fingerprint)


@dataclass(frozen=True)
class Rejected:
    """A question that was not answered.

    Attributes:
        transaction: Of the question.
        code: Why, a name of :mod:`geng_edge.wire.codes`.
        sentence: The same for people.
        worker: Who says so.
    """

    transaction: str
    code: str
    sentence: str
    worker: str = ""

    def to_bytes(self) -> bytes:
        """As it goes over the wire; the sentence is cut to 500 characters."""
        sentence = self.sentence[:_MOST_SENTENCE].encode("utf-8", "replace").decode()
        return codec.encode(
            {
                "schema": ANSWER_SCHEMA,
                "transaction": self.transaction,
                "status": "rejected",
                "worker": self.worker,
                "code": self.code,
                "sentence": sentence or "no reason is given",
            }
        )


Reply: TypeAlias = Accepted | Rejected


def read_reply(payload: bytes, size: int | None = None) -> Reply:
    """Read and check an answer, its conditions included.

    Args:
        payload: As it came.
        size: Bytes that it had, where a link let go of them.

    Raises:
        MessageError: ``too_large``, ``not_json``, ``schema``, ``latent`` or ``digest``.
    """
    found = codec.decode(payload, MOST_ANSWER_BYTES, ANSWER_SCHEMA, size=size)
    try:
        return _reply(found)
    except ArgumentError as error:
        raise codec.as_schema_error(error) from error


def check_transaction(value: object) -> str:
    """A transaction that can be repeated in an answer.

    Raises:
        ArgumentError: It is none.
    """
    return _matching(value, "transaction", _TRANSACTION, "8 to 64 of A-Z a-z 0-9 _ -")


def check_model(stated: str, fingerprint: str) -> None:
    """Refuse a condition of text expert ``stated`` where the model at hand has ``fingerprint``.

    Raises:
        MessageError: ``foreign_model``.
    """
    if stated != fingerprint:
        raise MessageError(
            f"condition is of text expert {stated[:12]}..; it must be of {fingerprint[:12]}.., which "
            "the model at hand was trained on",
            codes.FOREIGN_MODEL,
        )


def peek_transaction(payload: bytes) -> str | None:
    """The transaction of a question that is refused, so that its asker can be told.

    Returns:
        None where none can be read.
    """
    try:
        return check_transaction(codec.load(payload, MOST_ASK_BYTES).get("transaction"))
    except GengError:
        return None


def _reply(found: dict[str, Any]) -> Reply:
    common = ("schema", "transaction", "status", "worker")
    status = fields.word(found.get("status"), "status", ("accepted", "rejected"))
    if status == "rejected":
        fields.keys(found, "answer", (*common, "code", "sentence"))
    else:
        fields.keys(found, "answer", (*common, "answer", "fingerprint", "conditions"))
    transaction = check_transaction(found["transaction"])
    worker = fields.text(found["worker"], "worker", 63)
    if status == "rejected":
        code = _matching(found["code"], "code", _CODE, "a lower-case name")
        return Rejected(
            transaction, code, fields.text(found["sentence"], "sentence", _MOST_SENTENCE), worker
        )
    fingerprint = _matching(found["fingerprint"], "fingerprint", _SHA256, "64 hexadecimal digits")
    answer = Answer.from_dict(found["answer"])
    conditions = fields.items(found["conditions"], "conditions", MOST_CHANNELS, unpack, 1)
    return Accepted(transaction, answer, conditions, fingerprint, worker)


def pack(condition: Condition) -> dict[str, str]:
    """A condition as it travels: its .npy in base64 and the SHA-256 of that file."""
    npy = condition.to_bytes()
    return {"sha256": hashlib.sha256(npy).hexdigest(), "npy": base64.b64encode(npy).decode()}


def unpack(value: object, name: str) -> Condition:
    """The condition that :func:`pack` packed; ``name`` is what a message calls it.

    Raises:
        MessageError: ``latent`` or ``digest``.
        ArgumentError: It is no such object.
    """
    found = fields.keys(value, name, ("sha256", "npy"))
    stated = _matching(found["sha256"], f"{name}.sha256", _SHA256, "64 hexadecimal digits")
    text = found["npy"]
    if not isinstance(text, str):
        raise fields.refuse(f"{name}.npy", text, "base64")
    if len(text) > -(-_MOST_NPY // 3) * 4:
        raise MessageError(
            f"{name}.npy is {len(text)} characters; it must be at most {-(-_MOST_NPY // 3) * 4}",
            codes.LATENT,
        )
    try:
        npy = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MessageError(f"{name}.npy is no base64; it must be", codes.LATENT) from error
    actual = hashlib.sha256(npy).hexdigest()
    if actual != stated:
        raise MessageError(
            f"{name}.npy has sha256 {actual[:12]}..; it must be the stated {stated[:12]}..",
            codes.DIGEST,
        )
    try:
        return Condition.from_bytes(npy, f"{name}.npy")
    except ArgumentError as error:
        raise MessageError(str(error), codes.LATENT) from error


def _matching(value: object, name: str, pattern: re.Pattern[str], rule: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise fields.refuse(name, value, rule)
    return value
