"""What the tests of the cloud's worker share."""

from __future__ import annotations

from pathlib import Path

import pytest

from geng_edge import Generator

TINY = Path(__file__).parents[1] / "data" / "golden" / "tiny.gguf"


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, so that none depends on what ran before it."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GENG_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def generator() -> Generator:
    return Generator.load(TINY, threads=1)
