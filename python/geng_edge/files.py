"""Files are written whole or not at all: a temporary file beside the target, then a rename."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from geng_edge.errors import ArgumentError, OutputError

if TYPE_CHECKING:
    import numpy.typing as npt


def check_writable(path: Path) -> None:
    """Refuse, before anything is computed, a target that cannot be written.

    Raises:
        OutputError: Its folder is missing or read-only, or it is a folder itself.
    """
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: folder {folder} does not exist; it must exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: folder {folder} is read-only; it must be writable")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; it must be a file")


def check_apart(**targets: Path | None) -> None:
    """Refuse targets, by the names of their options, of which one would overwrite another.

    Raises:
        ArgumentError: Two of them are one file.
    """
    names: dict[str, str] = {}
    for name, path in targets.items():
        if path is None:
            continue
        other = names.setdefault(os.path.realpath(path), name)
        if other != name:
            raise ArgumentError(f"{other} and {name} are both {path}; they must be two files")


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that replaces ``path`` when the block ends well, and leaves nothing when it does not.

    Raises:
        OutputError: The disk is full or refuses.
    """
    import tempfile  # brings in archive formats; only writing needs it

    check_writable(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; it must be writable") from error
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o666 & ~umask)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputError(f"{path}: {error.strerror or error}; nothing was written") from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_npy(path: Path, array: npt.NDArray[np.floating[Any]]) -> None:
    """Write an array as .npy, version 1.0.

    Raises:
        OutputError: The file cannot be written.
    """
    with whole(path) as file:
        # Not write_array: it hands the file to C, which turns a full disk into a nameless error.
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(file, header)
        file.write(np.ascontiguousarray(array).data)
