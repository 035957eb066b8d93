"""Where profiles come from: those of the package, and TOML files."""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from geng_edge.errors import ArgumentError, MissingExtraError
from geng_edge.profiles.check import offences
from geng_edge.profiles.profile import Profile

_MOST_BYTES = 1_000_000


def names() -> list[str]:
    """Ids of the bundled profiles, sorted."""
    return sorted(_bundled()["profiles"])


def schema() -> dict[str, Any]:
    """The JSON schema of a profile."""
    return dict(_bundled()["schema"])


def tables(name: str) -> dict[str, Any]:
    """The tables of a bundled profile, as its file has them.

    Raises:
        ArgumentError: There is no such profile.
    """
    profiles = _bundled()["profiles"]
    if name not in profiles:
        raise ArgumentError(
            f"profile is {name!r}; it must be one of {', '.join(names())}, or a .toml file",
            name="profile",
            value=name,
        )
    return dict(profiles[name])


def load(name: str) -> Profile:
    """A bundled profile by its id, or the profile of a file by a path that ends in .toml.

    Raises:
        ArgumentError: There is no such profile, or the file is none.
        MissingExtraError: A file is named on Python 3.10 without ``tomli``.
    """
    if name.endswith(".toml"):
        data = read(Path(name))
        wrong = offences(data, schema())
        if wrong:
            raise ArgumentError(f"{name}: {wrong[0]}", path=name, offences=wrong)
        return Profile.of(data)
    return Profile.of(tables(name))


def read(path: Path) -> dict[str, Any]:
    """The tables of a TOML file, unchecked.

    Raises:
        ArgumentError: There is no such file, or it is no TOML.
        MissingExtraError: Python 3.10 without ``tomli``.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ArgumentError(f"{path} has over {_MOST_BYTES} bytes; it must be a profile")
        return _toml(path.read_text(encoding="utf-8"), path)
    except OSError as error:
        raise ArgumentError(
            f"{path}: {error.strerror or error}; it must be a readable file"
        ) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(f"{path} is no TOML ({error}); it must be a profile") from error


def _toml(text: str, path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError as error:
            raise MissingExtraError(
                f"{path}: Python 3.10 reads no TOML; install tomli, or take a bundled profile"
            ) from error
    return dict(tomllib.loads(text))


@lru_cache(maxsize=1)
def _bundled() -> dict[str, Any]:
    """``{"schema": ..., "profiles": {id: tables}}``: what the build made of firmware_profiles/.

    A source tree that was never installed is read in place.
    """
    compiled = Path(__file__).with_name("profiles.json")
    if compiled.is_file():
        return dict(json.loads(compiled.read_text(encoding="utf-8")))
    folder = Path(__file__).parents[3] / "firmware_profiles"
    profiles = [read(path) for path in sorted(folder.glob("*.toml"))]
    return {
        "schema": json.loads((folder / "schema.json").read_text(encoding="utf-8")),
        "profiles": {data["id"]: data for data in profiles},
    }
