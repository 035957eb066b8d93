"""The wire: every message as its rules have it, and nothing else let in."""

from __future__ import annotations

import base64
import gc
import hashlib
import io
import json
import pickle
import re
import threading
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Condition, Generator
from geng_edge.errors import ArgumentError, MessageError
from geng_edge.wire import codec, codes, topics
from geng_edge.wire.answer import Answer, Channel
from geng_edge.wire.condition import (
    ANSWER_SCHEMA,
    MOST_ANSWER_BYTES,
    MOST_ASK_BYTES,
    Accepted,
    Ask,
    Rejected,
    read_reply,
)
from geng_edge.wire.fingerprint import fingerprint
from support.road import accepted, answer, channel, claims, condition, weather

TESTS = Path(__file__).parents[1]


def schema(name: str) -> Any:
    path = resources.files("geng_edge.wire") / "schemas" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def changed(**changes: Any) -> bytes:
    """An accepted answer with some keys otherwise."""
    return codec.encode({**json.loads(accepted().to_bytes()), **changes})


def with_npy(npy: bytes, sha256: str | None = None) -> bytes:
    entry = {"sha256": sha256 or hashlib.sha256(npy).hexdigest(),
             "npy": base64.b64encode(npy).decode()}  # fmt: skip
    return changed(conditions=[entry])


def npy_of(array: Any, **header: Any) -> bytes:
    file = io.BytesIO()
    if header:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": array.shape, **header}
        )
        file.write(array.tobytes())
    else:
        np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


def refused(payload: bytes, code: str, match: str | None = None) -> None:
    with pytest.raises(MessageError, match=match) as error:
        read_reply(payload)
    assert error.value.code == code


def test_every_rule_is_named_by_a_test_and_every_named_rule_exists() -> None:
    rules = (resources.files("geng_edge.wire") / "rules.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| ([A-Z]-\d+) \|", rules, re.MULTILINE))
    named: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        named |= set(re.findall(r"\b([A-Z]-\d+)\b(?=[:,])", path.read_text(encoding="utf-8")))
    assert known
    assert known <= named, f"no test names {sorted(known - named)}"


def test_topics_are_versioned_and_hold_the_gateways_id() -> None:
    """W-1, W-6, C-1, C-2, C-3: where messages go."""
    assert topics.ask("pi-7") == "geng/v1/edge/pi-7/condition/ask"
    assert topics.answer("pi-7") == "geng/v1/edge/pi-7/condition/answer"
    assert topics.all_asks() == "$share/geng-cog/geng/v1/edge/+/condition/ask"
    assert topics.asker(topics.ask("pi-7")) == "pi-7"
    for topic in ("geng/v1/edge/Pi/condition/ask", "geng/v1/edge/a/b/condition/ask",
                  "geng/v2/edge/a/condition/ask", topics.answer("a"), "x" * 60000):  # fmt: skip
        assert topics.asker(topic) is None
    for name in ("", "Pi", "a/b", "a+", "#", "-a", "a" * 64, "a\n"):
        with pytest.raises(ArgumentError, match="gateway is"):
            topics.check_id(name)


@pytest.mark.parametrize("said", [answer(), weather()])
def test_an_answer_comes_back_as_it_went_with_a_condition_for_each_channel(said: Answer) -> None:
    """C-4, C-5, C-6: what an accepted answer holds."""
    sent = accepted(said)
    got = read_reply(sent.to_bytes())
    assert isinstance(got, Accepted)
    assert got.answer == said
    assert (got.transaction, got.fingerprint, got.worker) == (
        sent.transaction, sent.fingerprint, sent.worker)  # fmt: skip
    for ours, theirs in zip(sent.conditions, got.conditions, strict=True):
        np.testing.assert_array_equal(ours.array, theirs.array)
    with pytest.raises(ArgumentError, match="it must have one for each"):
        Accepted("transaction-1", said, (), sent.fingerprint)
    refused(changed(conditions=json.loads(changed())["conditions"] * 2), codes.SCHEMA)


def test_a_question_and_a_rejection_come_back_as_they_went() -> None:
    """W-4, W-8, C-8: transaction, code, lifetime."""
    ask = Ask("a töpfer's kiln\U0001f525", seed=3, lifetime=5, fingerprint="0" * 64)
    assert Ask.from_bytes(ask.to_bytes()) == ask
    assert Ask.from_bytes(codec.encode({"schema": "geng/v1/condition/ask", "task": "a",
                                        "transaction": "12345678"})).lifetime == 60.0  # fmt: skip
    no = Rejected("transaction-1", codes.BUSY, "x" * 900 + "\ud800", "w")
    got = read_reply(no.to_bytes())
    assert isinstance(got, Rejected)
    assert (got.code, got.sentence) == ("busy", "x" * 500)


def test_the_schemas_say_what_the_code_says() -> None:
    """W-2: every message that we write fits its schema, and what code refuses does not."""
    jsonschema = pytest.importorskip("jsonschema")
    ask, reply = schema("condition_ask"), schema("condition_answer")
    for each in (ask, reply):
        jsonschema.Draft202012Validator.check_schema(each)
    jsonschema.validate(json.loads(Ask("a task", fingerprint=None).to_bytes()), ask)
    jsonschema.validate(json.loads(accepted(weather()).to_bytes()), reply)
    jsonschema.validate(json.loads(Rejected("12345678", "busy", "later").to_bytes()), reply)
    for wrong in ({"task": ""}, {"transaction": "short"}, {"seed": -1}, {"lifetime": 0}, {"x": 1}):
        message = {**json.loads(Ask("a task").to_bytes()), **wrong}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(message, ask)
        with pytest.raises(MessageError):
            Ask.from_bytes(codec.encode(message))
    words = reply["$defs"]["claims"]["properties"]
    from geng_edge.claims import EVENT_KINDS, NOISE_LEVELS, TRENDS, WAVES

    assert words["trend"]["enum"] == list(TRENDS)
    assert words["noise"]["enum"] == list(NOISE_LEVELS)
    assert words["wave"]["enum"] == [*WAVES, None]
    assert reply["$defs"]["anomaly"]["properties"]["kind"]["enum"] == list(EVENT_KINDS)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", codes.NOT_JSON),
        (b"\xff\xfe", codes.NOT_JSON),
        (b"[]", codes.NOT_JSON),
        (b'"text"', codes.NOT_JSON),
        (b'{"schema": NaN}', codes.NOT_JSON),
        (b'{"schema": 1, "schema": 2}', codes.NOT_JSON),
        (b"[" * 60000, codes.NOT_JSON),
        (b'{"schema":' * 20000 + b"1" + b"}" * 20000, codes.NOT_JSON),
        (b'{"a":' + b"9" * 100000 + b"}", codes.NOT_JSON),
        (b"[" * 70000, codes.TOO_LARGE),
        (b"{" + b'"a":1,' * 60000, codes.TOO_LARGE),
        (b" " * (MOST_ANSWER_BYTES + 1), codes.TOO_LARGE),
        (b"{}", codes.SCHEMA),
        (b'{"schema": "geng/v2/condition/answer"}', codes.SCHEMA),
        (b'{"schema": ["geng/v1/condition/answer"]}', codes.SCHEMA),
        (pickle.dumps({"schema": ANSWER_SCHEMA}), codes.NOT_JSON),
    ],
)
def test_a_payload_that_is_no_message_is_refused_with_its_code(payload: bytes, code: str) -> None:
    """W-2, W-9, W-10: before anything is built of it."""
    refused(payload, code)


def test_a_question_over_its_limit_is_refused_unread() -> None:
    """W-9, C-1: also where the link let go of the bytes."""
    for payload, size in ((b" " * (MOST_ASK_BYTES + 1), None), (b"", 10_000_000)):
        with pytest.raises(MessageError, match="it must be at most 32768") as error:
            Ask.from_bytes(payload, size)
        assert error.value.code == codes.TOO_LARGE


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"transaction": "short"}, "transaction is 'short'"),
        ({"transaction": 5}, "transaction is 5"),
        ({"status": "maybe"}, "status is 'maybe'"),
        ({"fingerprint": "AB" * 32}, "fingerprint is"),
        ({"worker": None}, "worker is None"),
        ({"extra": 1}, "has a key 'extra'"),
        ({"conditions": []}, "has 0 entries"),
        ({"conditions": {}}, "conditions is {}"),
        ({"conditions": [{"sha256": "0" * 64, "npy": 5}]}, "npy is 5"),
        ({"answer": None}, "answer is None; it must be an object"),
        ({"answer": {"task": "a"}}, "answer has no reasoning"),
    ],
)
def test_an_answer_of_the_wrong_form_is_refused(change: dict[str, Any], match: str) -> None:
    """W-2, C-4: keys, kinds, words."""
    refused(changed(**change), codes.SCHEMA, re.escape(match))


def test_conditions_are_refused_where_they_are_not_what_is_stated() -> None:
    """C-6, W-10: pickles, declared gigabytes, NaN, other types, cut files, other sums."""
    fine = np.ones((4, 416), np.float32)
    good = npy_of(fine)
    read_reply(with_npy(good))
    refused(with_npy(good, "0" * 64), codes.DIGEST, "it must be the stated")
    nan = fine.copy()
    nan[2, 3] = np.nan
    for npy, match in (
        (b"", "does not begin as a .npy file"),
        (pickle.dumps(fine), "does not begin as a .npy file"),
        (npy_of(np.array([{"a": 1}], dtype=object)), "it must be float32"),
        (npy_of(fine, shape=(2**28, 1)), "has shape"),
        (npy_of(fine, shape=(128, 4128)), "its header needs exactly"),
        (npy_of(fine, shape=(-4, -416)), "has shape"),
        (npy_of(fine.astype(np.float64)), "it must be float32"),
        (npy_of(fine.astype(">f4"), descr=">f4"), "it must be float32"),
        (npy_of(np.asfortranarray(fine)), "Fortran order"),
        (npy_of(np.ones(416, np.float32)), "has shape"),
        (npy_of(np.ones((129, 8), np.float32)), "has shape"),
        (good[:-1], "its header needs exactly"),
        (good + b"\0", "its header needs exactly"),
        (good[:6] + b"\x03\x00" + good[8:], "version 3.0"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "header of 4294967295 bytes"),
        (npy_of(nan), "is nan at"),
        (npy_of(fine * np.float32(np.inf)), "it must be finite"),
    ):
        refused(with_npy(npy), codes.LATENT, match)
    refused(changed(conditions=[{"sha256": "0" * 64, "npy": "****"}]), codes.LATENT, "base64")
    refused(changed(conditions=[{"sha256": "0" * 64, "npy": "A" * 4_000_000}]), codes.LATENT)


def test_latents_are_read_by_many_threads_at_once() -> None:
    payload = with_npy(npy_of(np.ones((4, 416), np.float32)))
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(40):
                read_reply(payload)
        except BaseException as error:  # noqa: BLE001  whatever it is
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    # The collector runs anywhere, and what it runs may let another thread on: here it always does.
    thresholds, let_on = gc.get_threshold(), lambda *_: time.sleep(0)
    gc.callbacks.append(let_on)
    gc.set_threshold(20)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(let_on)
    assert failures == []


def test_a_model_of_another_text_expert_refuses_the_condition() -> None:
    """C-7: the fingerprint of the f that made a condition."""
    got = accepted()
    got.check_model(got.fingerprint)
    with pytest.raises(MessageError, match="which the model at hand was trained on") as error:
        got.check_model("cd" * 32)
    assert error.value.code == codes.FOREIGN_MODEL


def test_an_answer_that_would_be_too_large_is_not_sent() -> None:
    """W-9, C-3: 8 MiB."""
    wide = tuple(condition(128, 4128, seed=i) for i in range(8))
    said = answer(channels=tuple(channel(f"c{i}") for i in range(8)))
    with pytest.raises(MessageError, match="answer is") as error:
        Accepted("transaction-1", said, wide, "0" * 64).to_bytes()
    assert error.value.code == codes.TOO_LARGE


def test_fingerprints_tell_text_experts_apart_and_outlast_their_cache(
    tiny: Path, cache_folder: Path, tmp_path: Path
) -> None:
    """C-7: sum over settings, vocabulary and tensors of f, kept by model."""
    from geng_edge import _core

    generator = Generator.load(tiny, threads=1)
    first = fingerprint(generator)
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert list(cache_folder.glob("text-expert-*.json"))
    assert fingerprint(generator) == first
    for path in cache_folder.glob("text-expert-*.json"):
        path.write_text("{")
    assert fingerprint(generator) == first
    other = tmp_path / "other.gguf"
    _core.write_random_model(str(other), tokens=10, width=32, dim=64, depth=2, heads=2, seed=9)
    assert fingerprint(Generator.load(other, threads=1)) != first


def test_a_condition_of_another_device_reads_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    generator = Generator.load(tiny, threads=1)
    made = Condition.from_text("values from -5 to 5", generator=generator)
    made.save(tmp_path / "c.npy")
    assert made.to_bytes() == (tmp_path / "c.npy").read_bytes()
    np.testing.assert_array_equal(Condition.from_bytes(made.to_bytes()).array, made.array)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: claims(low=5.0, high=5.0), "low must be below high"),
        (lambda: claims(low=float("nan")), "low is nan"),
        (lambda: claims(high=10**400), "high is 1000"),
        (lambda: claims(mean=50.0), "mean is 50.0; it must be 18 to 23"),
        (lambda: claims(trend="sideways"), "trend is 'sideways'"),
        (lambda: claims(periods=(1.0, 2.0, 3.0)), "periods has 3 entries"),
        (lambda: claims(periods=(0.0,)), "periods[0] is 0.0"),
        (lambda: claims(noise=True), "noise is True"),
        (lambda: claims(wave="wobble"), "wave is 'wobble'"),
        (lambda: claims(unit="\ud800"), "unit holds half a character"),
        (lambda: claims(unit="a,b"), "unit is 'a,b'"),
        (lambda: claims(unit="a\n"), "it must be printed without commas"),
        (lambda: claims(quantity=" "), "it must be more than blanks"),
        (lambda: channel("7th"), "channel name is '7th'"),
        (lambda: Channel("a", " ", claims()), "it must be more than blanks"),
        (lambda: answer(span=60.0), "it must be 8 to 16777216 steps"),
        (lambda: answer(interval=True), "interval is True; it must be a number"),
        (lambda: answer(sure=1), "sure is 1; it must be true or false"),
        (lambda: answer(channels=(channel(), channel())), "it must be named once each"),
        (lambda: answer(channels=()), "channels has 0 entries"),
        (lambda: answer(task="x" * 2001), "task is 2001 characters"),
    ],
)
def test_an_answer_that_breaks_a_rule_cannot_be_made(
    make: Callable[[], object], match: str
) -> None:
    with pytest.raises(ArgumentError, match=re.escape(match)):
        make()


def test_an_answer_knows_how_many_steps_to_draw() -> None:
    assert (answer().steps, answer().length) == (1008, 1008)
    assert (answer(span=6000.0).steps, answer(span=6000.0).length) == (10, 64)
    assert answer(span=600.0 * 1001).length == 1008
