"""Other runtimes running our bridge: the same answers, and a clear sentence where one is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geng_edge import Condition, Generator, _core
from geng_edge.bench.peers import find_peers
from geng_edge.errors import ArgumentError

TINY = Path(__file__).parents[1] / "data" / "golden" / "tiny.gguf"
#: Root mean square error over root mean square.
LIMITS = {"fp32": 1e-4, "compiled": 1e-4, "bf16": 0.05, "int8": 0.1, "int8-matrix": 0.1}
VARIANTS = [
    ("onnxruntime", "fp32"),
    ("onnxruntime", "int8"),
    ("onnxruntime", "int8-matrix"),
    ("openvino", "fp32"),
    ("litert", "fp32"),
    ("litert", "int8"),
    ("ncnn", "fp32"),
    ("torch", "fp32"),
    ("torch", "int8"),
]


@pytest.mark.filterwarnings("ignore")  # the runtimes' own
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_peer_gives_our_answer(name: str, variant: str, tmp_path: Path) -> None:
    peer = next(p for p in find_peers([name]) if p.variant == variant)
    reason = peer.why_not()
    if reason is not None:
        pytest.skip(reason)
    generator = Generator.load(TINY, threads=1)
    condition = Condition.from_text("values from -5 to 5", generator=generator).array
    step = peer.prepare(TINY, condition, 1, tmp_path)
    exact = _core.Model(str(TINY), "fp32", 1)
    rng = np.random.default_rng(0)
    for t in (3, 250, 490):
        x = rng.standard_normal(exact.latent_shape).astype(np.float32)
        wanted = np.concatenate(
            [exact.bridge(x[None], t, condition), exact.bridge(x[None], t, None)]
        )
        got = step(x, t)
        assert got.shape == wanted.shape
        error = np.sqrt(np.mean((got - wanted) ** 2) / np.mean(wanted**2))
        assert error < LIMITS[variant]


def test_peer_that_nobody_provides_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"peer is 'tensorrt'; it must be one of .*torch"):
        find_peers(["tensorrt"])
