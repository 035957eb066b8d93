"""Backends without their runtimes: what is missing, damaged or hostile is said in a sentence."""

from __future__ import annotations

import json
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Condition, Generator, backends
from geng_edge.backends import Backend
from geng_edge.errors import ArgumentError, BackendError, MissingExtraError, ModelFileError

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
DISTILLED = GOLDEN / "tiny_distilled.gguf"


def packed(path: Path, facts: Any, name: str = "geng.json") -> None:
    """A file with a zip archive behind it, as an export of LiteRT is."""
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(64))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, facts if isinstance(facts, str) else json.dumps(facts))


def no_modules(monkeypatch: pytest.MonkeyPatch, **found: Any) -> None:
    def import_module(name: str) -> Any:
        if name.partition(".")[0] in found:
            return found[name.partition(".")[0]]
        raise ImportError(name)

    monkeypatch.setattr(backends, "import_module", import_module)


@pytest.mark.parametrize(
    ("facts", "name", "sentence"),
    [
        ({}, "other.json", "carries no geng.json"),
        ("{", "geng.json", "carries no geng.json"),
        ([1], "geng.json", "geng.json is no object"),
        (" " * (2**20 + 1), "geng.json", "geng.json is too large"),
    ],
)
def test_metadata_that_are_none_are_refused(
    facts: Any, name: str, sentence: str, tmp_path: Path
) -> None:
    packed(tmp_path / "student.tflite", facts, name)
    with pytest.raises(ModelFileError, match=sentence):
        Backend("litert", tmp_path, 1)


def test_file_without_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "student.tflite").write_bytes(b"TFL3" * 100)
    with pytest.raises(ModelFileError, match=r"it must be an export of geng-export"):
        Backend("litert", tmp_path, 1)


def test_missing_litert_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(tmp_path / "student.tflite", {"geng.part": "student"})
    no_modules(monkeypatch)
    with pytest.raises(MissingExtraError, match=r"pip install 'geng-edge\[litert\]'"):
        Backend("litert", tmp_path, 1)


@pytest.mark.skipif(np.__version__.startswith("1."), reason="NumPy 1 is installed")
def test_tflite_runtime_with_numpy_2_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(tmp_path / "student.tflite", {"geng.part": "student"})
    no_modules(monkeypatch, tflite_runtime=types.SimpleNamespace(Interpreter=None))
    with pytest.raises(MissingExtraError, match=r"built for NumPy 1 and this is NumPy 2.*numpy<2"):
        Backend("litert", tmp_path, 1)


def test_backend_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="backend is 'tensorrt'; it must be one of native"):
        Backend("tensorrt", tmp_path)


class FakeSession:
    """A runtime whose shapes are fixed, and which answers with zeros."""

    model = Generator.load(DISTILLED, threads=1).model

    def __init__(self, path: Path, _threads: int) -> None:
        self.path = path
        self.facts = {
            "geng.interface": "1",
            "geng.part": path.stem,
            "geng.fingerprint": self.model.fingerprint,
            "geng.precision": "fp32",
        }
        tokens, width = self.model.latent_shape
        self.shapes: dict[str, list[int | str]] = {
            "x": [2, tokens, width],
            "t": [1],
            "mask": [26],
            "condition": [24, self.model.text_width + 32],
            "answers": [1],
        }
        self.fed: list[dict[str, Any]] = []

    def run(self, feed: dict[str, Any]) -> list[Any]:
        self.fed.append(feed)
        if self.path.stem.endswith("memory"):
            keys, values = np.zeros((1, 1, 2, 4, 26)), np.zeros((1, 1, 2, 26, 4))
            return [keys, values, keys[..., :1], values[..., :1, :]]
        if self.path.read_bytes() == b"broken":
            raise RuntimeError("node 7: no kernel\nstack")
        return [np.zeros_like(feed["x"])]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(backends.SESSIONS, "onnxruntime", FakeSession)
    for part in ("student", "student-memory"):
        (tmp_path / f"{part}.onnx").write_bytes(b"")
    return tmp_path


def test_fixed_shapes_are_filled_and_masked(folder: Path) -> None:
    backend = Backend("onnxruntime", folder, 1)
    generator = Generator.load(DISTILLED, backend=backend)
    condition = Condition.from_text("5 V", generator=generator)
    words = len(condition.array)
    generator.generate(condition, 3, steps=1)
    pair = backend._pairs[True]
    assert isinstance(pair.memory, FakeSession)
    assert isinstance(pair.step, FakeSession)
    [told] = pair.memory.fed
    np.testing.assert_array_equal(told["condition"][:words], condition.array)
    assert not told["condition"][words:].any()
    assert [feed["x"].shape[0] for feed in pair.step.fed] == [2, 2]  # three, two at a time
    assert not pair.step.fed[1]["x"][1].any()
    mask = pair.step.fed[0]["mask"]
    assert list(np.flatnonzero(mask == 0)) == [*range(words), 24, 25]
    assert pair.step.fed[0]["t"] == np.float32(499)


def test_runtime_that_fails_is_named(folder: Path) -> None:
    (folder / "student.onnx").write_bytes(b"broken")
    generator = Generator.load(DISTILLED, backend=Backend("onnxruntime", folder, 1))
    condition = Condition.from_text("5 V", generator=generator)
    with pytest.raises(BackendError, match=r"onnxruntime failed \(node 7: no kernel stack\)"):
        generator.generate(condition, 1)


def test_condition_longer_than_a_fixed_shape_is_refused(folder: Path) -> None:
    generator = Generator.load(DISTILLED, backend=Backend("onnxruntime", folder, 1))
    condition = Condition.from_text("longer than twenty-four pieces", generator=generator)
    with pytest.raises(ArgumentError, match="it must be at most 24, which this export takes"):
        generator.generate(condition, 1)


@pytest.mark.parametrize("rows", [0, -1, 4097, 2**40])
def test_shape_that_nobody_needs_is_refused(
    rows: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Large(FakeSession):
        def __init__(self, path: Path, threads: int) -> None:
            super().__init__(path, threads)
            self.shapes["condition"] = [rows, 64]

    monkeypatch.setitem(backends.SESSIONS, "onnxruntime", Large)
    with pytest.raises(ModelFileError, match=f"has {rows} rows; it must have 1 to 4096"):
        Backend("onnxruntime", folder, 1)
