"""Conditions: what steers a generation, made from text or read from a file."""

from __future__ import annotations

import io
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge import files, npy
from geng_edge.errors import ArgumentError, MissingExtraError
from geng_edge.event_words import one_by_one
from geng_edge.number_channels import NUMBER_WIDTH, number_channels
from geng_edge.numbers import WINDOW, find_numbers

if TYPE_CHECKING:
    import numpy.typing as npt

    from geng_edge.generator import Generator

MAX_TOKENS = 128
MAX_WIDTH = 4096 + NUMBER_WIDTH
MAX_CHARACTERS = 20_000
_SPECIAL_PIECES = 2
LONGEST_UNIT = 40
#: What a column's name can hold in square brackets: ``series_0 [degC]``.
_UNIT = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029,;\"'\[\]]*"


def _is_latent(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and 1 <= shape[0] <= MAX_TOKENS and 1 <= shape[1] <= MAX_WIDTH


_LATENT = npy.Kind("a latent of encode", _is_latent, f"(1 to {MAX_TOKENS} tokens, width)")


class Condition:
    """A condition Z_x: float32 ``[tokens, width]``, text columns first, number channels last.

    It is plain data: a file or a message can carry it, and a device without a tokenizer can sample
    from it.

    Example:
        >>> from geng_edge import Condition, Generator
        >>> generator = Generator.load()
        >>> condition = Condition.from_text("A period of 6 s, values from 0 to 1", interval=0.5,
        ...                                 generator=generator)
        >>> condition.array.dtype, condition.array.ndim
        (dtype('float32'), 2)
    """

    def __init__(self, array: npt.NDArray[Any], source: str = "condition") -> None:
        """Take an array as a condition.

        Args:
            array: Float32 ``[tokens, width]``, 1 to 128 tokens, finite.
            source: What to call it in a message.

        Raises:
            ArgumentError: It is something else.
        """
        if getattr(array, "dtype", None) != np.float32 or array.ndim != 2:
            kind = f"{getattr(array, 'dtype', type(array).__name__)} {np.shape(array)}"
            raise ArgumentError(f"{source} is {kind}; it must be float32 (tokens, width)")
        if not 1 <= array.shape[0] <= MAX_TOKENS:
            raise ArgumentError(
                f"{source} has {array.shape[0]} tokens; it must have 1 to {MAX_TOKENS}"
            )
        if not np.isfinite(array).all():
            row, column = np.argwhere(~np.isfinite(array))[0]
            raise ArgumentError(
                f"{source} is {array[row, column]} at ({row}, {column}); it must be finite"
            )
        self.array = np.ascontiguousarray(array)

    @classmethod
    def from_text(
        cls,
        text: str,
        interval: float = 1.0,
        generator: Generator | None = None,
        length: int = WINDOW,
    ) -> Condition:
        """Encode a description on this device. Needs the extra ``text``.

        Args:
            text: The description; 1 to 126 word pieces.
            interval: Seconds between two steps: turns "a period of 6 s" into steps.
            generator: Whose text expert encodes it; the bundled model's by default.
            length: Steps of the series that will be drawn: turns "12 cycles in the window" into steps.

        Raises:
            ArgumentError: The text is empty or too long, or the interval is not positive.
            MissingExtraError: ``tokenizers`` is not installed.
        """
        check_text(text)
        check_interval(interval)
        interval = float(interval)  # in float32, steps of a period would be rounded
        if generator is None:
            from geng_edge.generator import Generator

            generator = Generator.load()
        text = one_by_one(text.replace("\u2026", ".."))  # one word piece that wordings do not have
        encoded = generator.tokenizer.encode(text)
        most = generator.model.max_tokens - _SPECIAL_PIECES
        pieces = len(encoded.ids) - _SPECIAL_PIECES
        if not 1 <= pieces <= most:
            raise ArgumentError(f"text is {pieces} word pieces; it must be 1 to {most}")
        channels = number_channels(find_numbers(text, interval, length), encoded.offsets)
        return cls(generator.model.encode_text(np.asarray(encoded.ids, dtype=np.int32), channels))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Condition:
        """Read a condition that :meth:`save` (or ``geng-edge encode``) wrote.

        The header is checked before anything of a declared size is allocated, and pickled
        arrays are never opened.

        Raises:
            ArgumentError: There is no such file, or it is no condition.
        """
        try:
            with Path(path).open("rb") as file:
                return cls(npy.read(file, os.fspath(path), _LATENT), os.fspath(path))
        except OSError as error:
            raise ArgumentError(
                f"{os.fspath(path)}: {error.strerror or error}; it must be a readable file"
            ) from error

    @classmethod
    def from_bytes(cls, data: bytes, source: str = "condition") -> Condition:
        """Read the bytes of a file that :meth:`save` wrote, under the rules of :meth:`load`.

        Raises:
            ArgumentError: They are no condition.
        """
        return cls(npy.parse(data, source, _LATENT), source)

    def to_bytes(self) -> bytes:
        """The bytes that :meth:`save` writes."""
        file = io.BytesIO()
        np.lib.format.write_array(file, self.array, version=(1, 0), allow_pickle=False)
        return file.getvalue()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as .npy, whole or not at all.

        Raises:
            OutputError: The file cannot be written.
        """
        files.write_npy(Path(path), self.array)


def check_text(text: str) -> None:
    """Refuse what cannot be a description.

    Raises:
        ArgumentError: The text is empty, has over 20,000 characters, or is no Unicode.
    """
    check_unicode("text", text)
    if not text.strip():
        raise ArgumentError("text is empty; it must describe a series")
    if len(text) > MAX_CHARACTERS:
        words = len(text.split())
        raise ArgumentError(
            f"text is {len(text)} characters ({words} words); it must be at most {MAX_CHARACTERS}"
        )


def check_unicode(name: str, text: str) -> None:
    """Refuse the half characters that Python makes of bytes that are not UTF-8.

    Raises:
        ArgumentError: ``text`` holds one.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(
            f"{name} holds a byte that is no UTF-8 at character {error.start}; it must be UTF-8",
            name=name,
            value=text,
        ) from error


def check_unit(unit: str) -> None:
    """Refuse what cannot be the unit of values; none, the empty text, is no fault.

    Raises:
        ArgumentError: It has over 40 characters, is no Unicode, or no column's name can hold it.
    """
    check_unicode("unit", unit)
    if len(unit) > LONGEST_UNIT:
        raise ArgumentError(
            f"unit is {len(unit)} characters; it must be 0 to {LONGEST_UNIT}",
            name="unit",
            value=unit,
        )
    if not re.fullmatch(_UNIT, unit):
        raise ArgumentError(
            f"unit is {unit!r}; it must be printed without commas, semicolons, quotes and square "
            "brackets",
            name="unit",
            value=unit,
        )


def check_interval(interval: float) -> None:
    """Refuse an interval that is no positive number of seconds.

    Raises:
        ArgumentError: It is not.
    """
    if not (math.isfinite(interval) and 1e-6 <= interval <= 1e9):
        raise ArgumentError(f"interval is {interval}; it must be 1e-6 to 1e9 seconds")


def load_tokenizer(vocabulary: list[str]) -> Any:
    """A lower-casing BERT word-piece tokenizer over ``vocabulary``.

    Raises:
        MissingExtraError: ``tokenizers`` is not installed.
    """
    try:
        from tokenizers import BertWordPieceTokenizer
    except ImportError as error:
        raise MissingExtraError(
            "tokenizers is not installed; text needs it: pip install 'geng-edge[text]', "
            "or sample from a latent"
        ) from error
    return BertWordPieceTokenizer({piece: i for i, piece in enumerate(vocabulary)}, lowercase=True)
