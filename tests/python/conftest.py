"""What the tests of the device package share."""

from __future__ import annotations

from pathlib import Path

import pytest

TINY = Path(__file__).parents[1] / "data" / "golden" / "tiny.gguf"


@pytest.fixture(scope="session")
def tiny() -> Path:
    """A whole model with random weights (tests/support/make_tiny_model.py)."""
    return TINY


@pytest.fixture
def latent(tmp_path: Path, tiny: Path) -> Path:
    """A condition of the tiny model in a file."""
    from geng_edge.condition import Condition
    from geng_edge.generator import Generator

    path = tmp_path / "latent.npy"
    Condition.from_text("values from -5 to 5", generator=Generator.load(tiny, threads=1)).save(path)
    return path


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, so that none depends on what ran before it."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GENG_CACHE", str(folder))
    return folder
