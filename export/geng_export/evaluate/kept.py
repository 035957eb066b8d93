"""What a long measure has found so far, in a folder: one that was stopped goes on from there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from geng_edge import files
from geng_export.errors import ExportError

T = TypeVar("T")
Arrays = dict[str, npt.NDArray[Any]]


class Kept:
    """Results of the parts of a measure, by name.

    Args:
        folder: Where they are kept, and looked for; None makes each anew and keeps nothing.
        settings: What they depend on.

    Raises:
        ExportError: The folder cannot be made, or has results of other settings.
    """

    def __init__(self, folder: Path | None, settings: Mapping[str, object]) -> None:
        self.folder = folder
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExportError(f"{folder}: {error.strerror}; it must be a folder") from error
        ours = json.loads(json.dumps(settings))
        if self.figures("settings", lambda: ours) != ours:
            raise ExportError(
                f"{folder} keeps results of other settings; it must be of these, or not there"
            )

    def has(self, name: str) -> bool:
        """Whether the figures of a part are kept."""
        return self.folder is not None and (self.folder / f"{name}.json").exists()

    def arrays(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays of a part: those that are kept, or those that ``make`` gives.

        Raises:
            ExportError: What is kept cannot be read.
        """
        return self._part(f"{name}.npz", make, _save, _load)

    def figures(self, name: str, make: Callable[[], T]) -> T:
        """The figures of a part, as JSON has them: those that are kept, or those that ``make`` gives.

        Raises:
            ExportError: What is kept cannot be read.
        """
        return self._part(
            f"{name}.json",
            make,
            lambda file, made: file.write(json.dumps(made).encode()),
            json.load,
        )

    def _part(
        self,
        name: str,
        make: Callable[[], T],
        save: Callable[[BinaryIO, T], object],
        load: Callable[[BinaryIO], T],
    ) -> T:
        if self.folder is None:
            return make()
        path = self.folder / name
        if not path.exists():
            made = make()
            with files.whole(path) as file:
                save(file, made)
            return made
        try:
            with path.open("rb") as file:
                return load(file)
        except (OSError, ValueError, BadZipFile) as error:
            raise ExportError(f"{path}: {error}; it must be kept by this measure") from error


def _save(file: BinaryIO, made: Arrays) -> None:
    np.savez(file, allow_pickle=False, **made)


def _load(file: BinaryIO) -> Arrays:
    with np.load(file, allow_pickle=False) as kept:
        return {key: kept[key] for key in kept.files}
