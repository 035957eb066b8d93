"""docs/how-to/another-runtime.md: its code runs, and gives the core's series."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Generator
from geng_export.models import noise
from geng_export.targets.folder import export

ROOT = Path(__file__).parents[2]
DISTILLED = ROOT / "tests" / "data" / "golden" / "tiny_distilled.gguf"
PAGE = ROOT / "docs" / "how-to" / "another-runtime.md"


@pytest.mark.skipif(
    not all(importlib.util.find_spec(m) for m in ("onnx", "onnxscript", "onnxruntime")),
    reason="onnx, onnxscript or onnxruntime not installed",
)
@pytest.mark.filterwarnings("ignore")  # the exporter's own
def test_code_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(
        DISTILLED, ["onnx"], tmp_path / "exports", precisions=["fp32"],
        networks=["student", "text"], say=lambda _: None,
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENG_MODEL", str(DISTILLED))
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)

    native = Generator.load(DISTILLED, "fp32", 1)
    wanted = native.generate(names["condition"], count=3, seed=7).values
    span = np.ptp(wanted)
    np.testing.assert_allclose(names["series"].values, wanted, atol=1e-3 * span)
    off = names["again"] - names["condition"].array  # of the core's text expert in int8
    assert np.linalg.norm(off) < 0.05 * np.linalg.norm(names["again"])
    assert names["own"].shape == (3, 512)

    shape = native.model.latent_shape

    def drawn(step: int) -> Any:
        stream = noise.INITIAL_LATENT if step < 0 else noise.SOLVER
        rows = [noise.normals(7 + i, stream, max(step, 0), shape[0] * shape[1]) for i in range(3)]
        return np.stack(rows).reshape(3, *shape)

    latents = names["sample"](names["v"], drawn)
    core = native.model.sample_latent(
        names["condition"].array, 3, solver="consistency", steps=4, seed=7
    )
    np.testing.assert_allclose(latents, core, atol=1e-3)
