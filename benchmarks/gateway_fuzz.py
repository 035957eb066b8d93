"""Hostile payloads against what reads a gateway's requests: each must be refused with a code, or be right.

    python benchmarks/gateway_fuzz.py --payloads 100000

In one process with the model loaded, as the gateway reads them: bytes to JSON, to a request, to a condition
that fits the model. Payloads are bytes of every kind, requests with one thing wrong, and requests that were
right until bits were flipped; conditions that declare gigabytes, that are pickles, that hold NaN, that
another text expert made. Prints how many ended with which code, the slowest, and the most memory that was
held. Ends with 1 where anything but a refusal was raised, or memory grew by more than the bound.
"""

from __future__ import annotations

import argparse
import base64
import collections
import hashlib
import io
import json
import pickle
import random
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from geng_edge import Condition, Generator
from geng_edge.errors import GengError
from geng_edge.service.answers import Answers
from geng_edge.service.ask import SCHEMA, Ask, Limits
from geng_edge.wire.condition import pack

#: Growth of the resident set, MB: the largest payload (10 MB) a few times, and what the allocator keeps.
BOUND_MB = 96
_HUGE = 10 * 2**20
_KEYS = ("transaction", "text", "task", "condition", "count", "length", "steps", "solver", "guidance",
         "eta", "seed", "interval", "start", "unit", "format", "lifetime", "replay", "schema",
         "shell")  # fmt: skip


def values(rng: random.Random) -> Any:
    """Something that a field does not expect."""
    return rng.choice(
        [
            None, True, False, 0, -1, 1, 63, 65, 2**31, 2**63, 2**64, -(2**70), 10 ** rng.randint(20, 400),
            0.5, -0.0, 1e308, 5e-324, "", " ", "\x00", "\ud800", "x" * rng.randint(1, 30_000), "../../etc",
            "#", "+", "geng/v1", "__class__", "2000-01-01", "9999-12-31T23:59:59+14:00", "nan", "1e9",
            [], {}, [[]], {"npy": ""}, {"sensor": "A"}, {"sensor": "room", "speed": 0}, list(range(50)),
            "\u202e\u0000\U0001f321", {"a": {"b": {"c": {}}}},
        ]
    )  # fmt: skip


def latent(rng: random.Random, good: bytes) -> bytes:
    """A .npy file with one thing wrong, or another file altogether."""
    shape = rng.choice(["(128, 2000000)", "(99999999999, 9)", "(1,) * 9", "(-1, 416)", "(0, 416)", "()",
                        "(12, 416), 'x': 1", "__import__('os')"])  # fmt: skip
    kind = rng.choice(["<f4", "<f8", "|O", ">f4", "<U99999999", "V4"])
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    declared = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    array = np.full((12, 416), rng.choice([np.nan, np.inf, -np.inf]), np.float32)
    file = io.BytesIO()
    np.save(file, array)
    return rng.choice(
        [
            lambda: declared + rng.randbytes(rng.randint(0, 2000)),
            lambda: pickle.dumps([print, rng.random()]),
            file.getvalue,
            lambda: good[: rng.randint(0, len(good))],
            lambda: good + rng.randbytes(rng.randint(1, 99)),
            lambda: flipped(rng, good),
            lambda: b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 60_000,
            lambda: b"PK\x03\x04" + rng.randbytes(100),
        ]
    )()


def flipped(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


class Maker:
    """Payload after payload, the same for the same seed."""

    def __init__(self, generator: Generator, fingerprint: str, seed: int) -> None:
        self.rng = random.Random(seed)
        condition = Condition.from_text("values from -5 to 5", 1.0, generator)
        self.npy = condition.to_bytes()
        self.packed = {**pack(condition), "fingerprint": fingerprint}
        self.kinds: list[tuple[Callable[[], bytes], int]] = [
            (self._bytes, 10), (self._nested, 5), (self._wrong, 35), (self._flipped, 20),
            (self._condition, 25), (self._spliced, 5),
        ]  # fmt: skip

    def next(self, number: int) -> bytes:
        """The payload of a number; every thousandth has 10 MB."""
        if number % 1000 == 999:
            return self.rng.choice([b" ", b"[", b'{"a":', b"9", b"\xff"]) * (_HUGE // 4)
        makers, weights = zip(*self.kinds, strict=True)
        return self.rng.choices(makers, weights)[0]()

    def _good(self) -> dict[str, Any]:
        asked = {"schema": SCHEMA, "transaction": "fuzz-00000001", "count": 2, "length": 512,
                 "interval": 600, "seed": 5, "format": "json", "lifetime": 5}  # fmt: skip
        if self.rng.random() < 0.5:
            return {**asked, "text": "a daily cycle between 18 and 23 degC"}
        return {**asked, "condition": self.packed}

    def _bytes(self) -> bytes:
        return self.rng.randbytes(self.rng.randint(0, 4000))

    def _nested(self) -> bytes:
        opening = self.rng.choice([b"[", b'{"a":', b'[{"a":', b'"'])
        return opening * self.rng.randint(1, 80_000)

    def _wrong(self) -> bytes:
        asked = self._good()
        for _ in range(self.rng.randint(1, 3)):
            asked[self.rng.choice(_KEYS)] = values(self.rng)
        return json.dumps(asked).encode()

    def _flipped(self) -> bytes:
        return flipped(self.rng, json.dumps(self._good()).encode())

    def _spliced(self) -> bytes:
        text = json.dumps(self._good())
        word = self.rng.choice(["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, '"a":1,"a":2'])
        at = self.rng.randrange(len(text))
        return (text[:at] + word + text[at:]).encode()

    def _condition(self) -> bytes:
        data = latent(self.rng, self.npy)
        packed = {
            "npy": base64.b64encode(data).decode(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "fingerprint": self.packed["fingerprint"],
        }
        if self.rng.random() < 0.3:
            key = self.rng.choice(list(packed))
            packed[key] = self.rng.choice(["0" * 64, "", "!", "A" * 300_000, values(self.rng)])
        return json.dumps({**self._good(), "text": None, "condition": packed}).encode()


def main() -> int:
    """Throw and count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--payloads", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", help="model file (default: the bundled model)")
    arguments = parser.parse_args()
    answers = Answers(Generator.load(arguments.model, threads=1))
    limits = Limits()
    maker = Maker(answers.generator, answers.fingerprint, arguments.seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    codes: collections.Counter[str] = collections.Counter()
    faults, slowest, size = [], 0.0, 0
    for number in range(arguments.payloads):
        payload = maker.next(number)
        size += len(payload)
        began = time.perf_counter()
        try:
            answers.check(Ask.read(payload, limits))
            code = "right"
        except GengError as error:
            code = error.code
        except Exception as error:  # noqa: BLE001  what this program looks for
            code = f"FAULT {type(error).__name__}"
            faults.append((payload[:500], repr(error)[:500]))
        slowest = max(slowest, time.perf_counter() - began)
        codes[code] += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    print(f"{arguments.payloads} payloads, {size / 2**20:.0f} MB")
    for code, count in codes.most_common():
        print(f"{code:16} {count}")
    print(f"slowest {1000 * slowest:.1f} ms; most memory {before + grown:.0f} MB, {grown:.0f} MB of it "
          f"since the model was loaded (bound {BOUND_MB})")  # fmt: skip
    for payload, fault in faults[:5]:
        print(payload, fault, file=sys.stderr)
    return 1 if faults or grown > BOUND_MB else 0


if __name__ == "__main__":
    sys.exit(main())
