"""Which text expert f a model was trained on: a fingerprint that two devices can compare.

A condition is only of use to a bridge that was trained on the f that made it. The fingerprint is the
SHA-256 over what decides Z_x, in this order: the settings ``geng.number_width`` and ``geng.text.*`` as
``key=value`` lines sorted by key, the vocabulary, and the tensors ``text.*`` sorted by name, each as its
name, GGUF type, shape and bytes. Bridges, readers, decoder and card are left out: a model that was tuned
on one's own data keeps its f, and takes the conditions that any model of the same f takes.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import struct
from typing import TYPE_CHECKING, Any

from geng_edge import cache
from geng_edge.errors import ModelFileError

if TYPE_CHECKING:
    from geng_edge.generator import Generator

_ITEM = {0: 4, 24: 1}  # GGUF types of a model: float32 and int8, bytes an element
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_TEXT = "text."


def fingerprint(generator: Generator) -> str:
    """The fingerprint of a model's f, 64 hexadecimal digits.

    Cost: one pass over the text expert's tensors (some 25 MB) the first time, kept in
    :func:`geng_edge.cache.folder` under the sum of the model file.

    Raises:
        ModelFileError: The file changed since it was loaded.
    """
    key = {"model": generator.model.fingerprint, "rule": 1}
    name = f"text-expert-{generator.model.fingerprint[:16]}"
    known = cache.recall(name, key)
    if isinstance(known, str) and len(known) == 64:
        return known
    found = _computed(generator)
    cache.keep(name, key, found)
    return found


def _computed(generator: Generator) -> str:
    digest = hashlib.sha256(b"geng text expert 1\n")
    metadata = generator.model.metadata
    for key in sorted(metadata):
        if key == "geng.number_width" or key.startswith("geng.text."):
            digest.update(f"{key}={metadata[key]}\n".encode())
    vocabulary = generator.model.vocabulary
    digest.update(f"{len(vocabulary)} pieces\n".encode())
    digest.update("\n".join(vocabulary).encode())
    try:
        with (
            generator.path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            memoryview(data) as view,
        ):
            for name, kind, shape, begin, size in sorted(_tensors(data)):
                digest.update(f"\n{name} {kind} {shape}\n".encode())
                with view[begin : begin + size] as part:
                    digest.update(part)
    except (OSError, ValueError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise ModelFileError(
            f"{generator.path} changed while it was in use ({error}); it must stay as it was loaded",
            path=generator.path,
        ) from error
    return digest.hexdigest()


def _tensors(data: mmap.mmap) -> list[tuple[str, int, tuple[int, ...], int, int]]:
    """Name, type, shape, first byte and bytes of each tensor of f. The core has checked the file."""
    at = 8
    tensors, entries = struct.unpack_from("<QQ", data, at)
    at += 16
    alignment = 32
    for _ in range(entries):
        key, at = _string(data, at)
        (kind,) = struct.unpack_from("<I", data, at)
        if key == "general.alignment":
            (alignment,) = struct.unpack_from("<I", data, at + 4)
        at = _skip(data, at + 4, kind)
    found = []
    for _ in range(tensors):
        name, at = _string(data, at)
        (axes,) = struct.unpack_from("<I", data, at)
        shape: tuple[Any, ...] = struct.unpack_from(f"<{axes}Q", data, at + 4)
        kind, offset = struct.unpack_from("<IQ", data, at + 4 + 8 * axes)
        at += 16 + 8 * axes
        if name.startswith(_TEXT):
            found.append((name, kind, shape, offset, math.prod(shape) * _ITEM[kind]))
    start = -(-at // alignment) * alignment
    if any(start + offset + size > len(data) for *_, offset, size in found):
        raise ValueError("it is cut")
    return [(name, kind, shape, start + o, size) for name, kind, shape, o, size in found]


def _string(data: mmap.mmap, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<Q", data, at)
    return data[at + 8 : at + 8 + length].decode(), at + 8 + length


def _skip(data: mmap.mmap, at: int, kind: int) -> int:
    """Where the value of an entry ends."""
    if kind == _STRING:
        (length,) = struct.unpack_from("<Q", data, at)
        return int(at + 8 + length)
    if kind != _ARRAY:
        return at + _SIZES[kind]
    inner, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if inner in _SIZES:
        return int(at + count * _SIZES[inner])
    for _ in range(count):
        at = _skip(data, at, inner)
    return at
