"""What a device keeps between two starts: packed weights, and which precision was faster.

All of it can be deleted at any time; it is made again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from geng_edge import files
from geng_edge.errors import OutputError

OFF = "off"


def folder() -> Path | None:
    """``$GENG_CACHE``, then ``$XDG_CACHE_HOME/geng-edge``, then ``~/.cache/geng-edge``.

    Returns:
        None when GENG_CACHE is ``off``, or there is no home.
    """
    named = os.environ.get("GENG_CACHE")
    if named:
        return None if named == OFF else Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "geng-edge"
    try:
        return Path.home() / ".cache" / "geng-edge"
    except RuntimeError:
        return None


def recall(name: str, key: dict[str, Any]) -> Any:
    """The answer that was kept under this key; None when there is none."""
    where = folder()
    if where is None:
        return None
    try:
        kept = json.loads((where / f"{name}.json").read_text(encoding="utf-8"))
        return kept["answer"] if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(name: str, key: dict[str, Any], answer: Any) -> None:
    """Keep an answer for the next start; a folder that cannot be written keeps nothing."""
    where = folder()
    if where is None:
        return
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        with files.whole(where / f"{name}.json") as file:
            file.write(json.dumps({"key": key, "answer": answer}).encode())
    except (OSError, OutputError):
        return
