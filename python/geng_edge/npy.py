"""Reading .npy files: every size is checked before anything of it is allocated, no pickle is opened."""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from geng_edge.errors import ArgumentError

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_HEADER = 4096
_NAMES = {"<f4": "float32 ('<f4')", "<f8": "float64 ('<f8')"}
# One entry of a header. Read by hand: Python's own parser keeps its depth in one place for all threads,
# and fails where two of them read at once (3.11).
_ENTRY = re.compile(
    r"""\s*(["'])(?P<key>\w+)\1\s*:\s*
    (?:(["'])(?P<text>[^"'\\]*)\3 | (?P<truth>True|False) | (?P<whole>-?\d+)
     | \((?P<tuple>[-\d\s,]*)\))\s*(?:,|$)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Kind:
    """What a file must hold.

    Attributes:
        what: Its name in a message: ``a latent of encode``.
        fits: Whether a shape is allowed; it bounds the size.
        shapes: The allowed shapes in words.
        types: NumPy's names of the allowed types.
    """

    what: str
    fits: Callable[[tuple[int, ...]], bool]
    shapes: str
    types: tuple[str, ...] = ("<f4",)


def read(file: BinaryIO, name: str, kind: Kind) -> npt.NDArray[Any]:
    """The array of a file.

    Args:
        file: Opened for reading, at its start.
        name: What to call it in a message.
        kind: What it must hold.

    Raises:
        ArgumentError: It holds something else, or is longer or shorter than its header says.
    """
    return _parsed(file, os.fstat(file.fileno()).st_size, name, kind)


def parse(data: bytes, name: str, kind: Kind) -> npt.NDArray[Any]:
    """The array of the bytes of a file, under the same rules as :func:`read`.

    Raises:
        ArgumentError: They hold something else, or are more or fewer than their header says.
    """
    return _parsed(io.BytesIO(data), len(data), name, kind)


def _parsed(file: BinaryIO, actual: int, name: str, kind: Kind) -> npt.NDArray[Any]:
    prefix = file.read(8)
    if prefix[:6] != b"\x93NUMPY":
        raise ArgumentError(f"{name} does not begin as a .npy file; it must be {kind.what}")
    if prefix[6:] not in (b"\x01\x00", b"\x02\x00"):
        version = ".".join(str(b) for b in prefix[6:]) or "cut off"
        raise ArgumentError(f"{name} is .npy version {version}; it must be 1.0 or 2.0")
    width = 2 if prefix[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > MAX_HEADER:
        raise ArgumentError(
            f"{name} has a header of {length} bytes; it must be at most {MAX_HEADER}"
        )
    shape, dtype = _header(file.read(length), length, name, kind)
    start = 8 + width + length
    declared = start + dtype.itemsize * math.prod(shape)
    if actual != declared:
        raise ArgumentError(f"{name} is {actual} bytes; its header needs exactly {declared}")
    return np.frombuffer(file.read(declared - start), dtype=dtype).reshape(shape).copy()


def _header(
    header: bytes, length: int, name: str, kind: Kind
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        fields = _fields(header.decode("latin-1").strip())
        dtype, fortran, shape = (fields.pop(k) for k in ("descr", "fortran_order", "shape"))
    except (KeyError, ValueError) as error:
        raise ArgumentError(
            f"{name} has a damaged header of {length} bytes; it must be a .npy file"
        ) from error
    if fields:
        raise ArgumentError(f"{name} has a header with further keys; it must be a .npy file")
    if dtype not in kind.types or fortran is not False:
        order = ", Fortran order" if fortran else ""
        allowed = " or ".join(_NAMES[t] for t in kind.types)
        raise ArgumentError(f"{name} is {dtype}{order}; it must be {allowed} in C order")
    plain = isinstance(shape, tuple) and all(type(n) is int for n in shape)
    if not (plain and kind.fits(shape)):
        raise ArgumentError(f"{name} has shape {shape}; it must be {kind.shapes}")
    return shape, np.dtype(dtype)


def _fields(text: str) -> dict[str, Any]:
    """The entries of a header, a Python dictionary of plain values."""
    if text[:1] != "{" or text[-1:] != "}":
        raise ValueError(text)
    found: dict[str, Any] = {}
    inner, at = text[1:-1], 0
    while inner[at:].strip():
        entry = _ENTRY.match(inner, at)
        if entry is None or entry["key"] in found:
            raise ValueError(inner[at:])
        found[entry["key"]] = _value(entry)
        at = entry.end()
    return found


def _value(entry: re.Match[str]) -> Any:
    if entry["text"] is not None:
        return entry["text"]
    if entry["truth"] is not None:
        return entry["truth"] == "True"
    if entry["whole"] is not None:
        return int(entry["whole"])
    parts = entry["tuple"].split(",")
    if len(parts) == 1 and parts[0].strip():
        return int(parts[0])  # brackets without a comma
    if not parts[-1].strip():
        parts.pop()
    return tuple(int(part) for part in parts)
