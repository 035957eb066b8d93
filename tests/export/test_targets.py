"""The bridge as files for other runtimes: the answers of torch, and a sentence for what cannot be."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from geng_export.__main__ import main
from geng_export.models.bundle import Bundle
from geng_export.peers.lean import WINDOW, Lean
from geng_export.targets.read_gguf import load_bundle

TINY = Path(__file__).parents[1] / "data" / "golden" / "tiny.gguf"
WORDS, SHORTER = 12, 7

needs_onnx = pytest.mark.skipif(
    not all(importlib.util.find_spec(m) for m in ("onnx", "onnxscript", "onnxruntime")),
    reason="onnx, onnxscript or onnxruntime not installed",
)
needs_litert = pytest.mark.skipif(
    not all(importlib.util.find_spec(m) for m in ("litert_torch", "ai_edge_litert")),
    reason="litert-torch or ai-edge-litert not installed",
)
quiet = pytest.mark.filterwarnings("ignore")  # the converters' own


def export(out: Path, *more: str) -> int:
    to = {".onnx": "onnx", ".tflite": "litert"}.get(out.suffix, "onnx")
    return main(["export", "--model", str(TINY), "--to", to, "--out", str(out), *more])


def case(bundle: Bundle, t: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Inputs of the lean graph for a condition shorter than it allows, and what torch says of both rows."""
    rng = np.random.default_rng(t)
    config = bundle.bridge.config
    condition = rng.standard_normal((SHORTER, config.condition_width)).astype(np.float32)
    lean = Lean.of_bundle(bundle, condition)
    x = rng.standard_normal(lean.shape).astype(np.float32)
    feed, missing = lean.feed(x, t), WORDS - SHORTER
    feed["keys"] = np.pad(feed["keys"], [(0, 0)] * 4 + [(0, missing)], constant_values=3.0)
    feed["values"] = np.pad(
        feed["values"], [(0, 0)] * 3 + [(0, missing), (0, 0)], constant_values=3.0
    )
    feed["mask"] = np.pad(feed["mask"], [(0, 0)] * 3 + [(0, missing)], constant_values=-1e9)
    rows = torch.from_numpy(condition)
    memory = bundle.memory(bundle.bridge, rows, WINDOW)
    null = functional.pad(bundle.bridge.null_memory(1), (0, 0, 0, memory.shape[1] - 1))
    mask = torch.ones(2, memory.shape[1], dtype=torch.bool)
    mask[1, 1:] = False
    both = torch.from_numpy(np.stack([x, x]))
    with torch.no_grad():
        v = bundle.bridge(both, torch.tensor([t, t]), torch.cat([memory, null]), mask)
    return feed, v.numpy()


def distance(got: np.ndarray, wanted: np.ndarray) -> float:
    assert got.shape == wanted.shape
    return float(np.sqrt(np.mean((got - wanted) ** 2) / np.mean(wanted**2)))


@needs_onnx
@quiet
@pytest.mark.parametrize(("precision", "limit"), [("fp32", 1e-5), ("int8", 0.05)])
def test_onnx_gives_the_answers_of_torch(precision: str, limit: float, tmp_path: Path) -> None:
    import onnxruntime

    file = tmp_path / "step.onnx"
    assert export(file, "--precision", precision, "--words", str(WORDS)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["step.onnx"]  # weights lie inside
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    bundle = load_bundle(TINY)
    for t in (3, 250, 490):
        feed, wanted = case(bundle, t)
        assert distance(session.run(["v"], feed)[0], wanted) < limit


@needs_onnx
@quiet
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_onnx_says_what_it_was_made_of(
    precision: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import hashlib

    import onnx

    file = tmp_path / "step.onnx"
    assert export(file, "--precision", precision, "--words", str(WORDS)) == 0
    model = onnx.load(str(file))
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert facts["licence"] == "Apache-2.0"
    assert facts["sha256"] == hashlib.sha256(TINY.read_bytes()).hexdigest()
    assert facts["opset"] == "20"
    assert next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")) == 20
    printed = json.loads(capsys.readouterr().out)["inputs"]
    assert {k: "x".join(map(str, v)) for k, v in printed.items()} == json.loads(facts["inputs"])
    assert printed["mask"] == [2, 1, 1, WORDS + 1]


@needs_onnx
@quiet
def test_whole_bridge_as_onnx_gives_the_answers_of_torch(tmp_path: Path) -> None:
    import onnxruntime

    from geng_export.targets import onnx

    bridge = load_bundle(TINY).bridge
    file = tmp_path / "whole.onnx"
    onnx.write_bridge(bridge, WORDS, file, {})
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    make = torch.manual_seed(0)
    x = torch.randn(1, bridge.config.tokens, bridge.config.width, generator=make)
    memory = torch.randn(1, WORDS, bridge.config.dim, generator=make)
    for step in (0, 250, 499):
        t = torch.tensor([step])
        with torch.no_grad():
            wanted = bridge(x, t, memory).numpy()
        feed = {"x": x.numpy(), "t": t.numpy(), "memory": memory.numpy()}
        assert distance(session.run(["v"], feed)[0], wanted) < 1e-4


@needs_litert
@quiet
@pytest.mark.parametrize(("precision", "limit"), [("fp32", 1e-4), ("int8", 0.05)])
def test_litert_gives_the_answers_of_torch(precision: str, limit: float, tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    file = tmp_path / "step.tflite"
    assert export(file, "--precision", precision, "--words", str(WORDS)) == 0
    interpreter = Interpreter(model_path=str(file), num_threads=1)
    interpreter.allocate_tensors()
    ports = sorted(interpreter.get_input_details(), key=lambda port: str(port["name"]))
    bundle = load_bundle(TINY)
    for t in (3, 250, 490):
        feed, wanted = case(bundle, t)
        for port, value in zip(ports, feed.values(), strict=True):
            interpreter.set_tensor(port["index"], value)
        interpreter.invoke()
        got = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        assert distance(got, wanted) < limit


@pytest.mark.parametrize(
    ("name", "more", "sentence"),
    [
        ("step.gguf", [], "--out is 'step.gguf'; with --to onnx it must end in .onnx"),
        ("step.onnx", ["--words", "0"], "words is 0; it must be 1 to 512"),
        ("step.onnx", ["--words", "513"], "words is 513; it must be 1 to 512"),
    ],
)
def test_export_that_cannot_be_is_refused(
    name: str, more: list[str], sentence: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert export(tmp_path / name, *more) == 2
    assert sentence in caplog.text
    assert not list(tmp_path.iterdir())


def test_model_file_as_gguf_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = tmp_path / "again.gguf"
    assert main(["export", "--model", str(TINY), "--out", str(out)]) == 2
    assert "with --to gguf it must be --run FOLDER" in caplog.text
    assert not out.exists()
