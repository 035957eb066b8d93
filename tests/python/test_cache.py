"""What is kept between two starts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geng_edge import Condition, Generator, _core, cache, precision


def draw(generator: Generator) -> bytes:
    condition = Condition.from_text("values from -5 to 5", generator=generator)
    return generator.generate(condition, 2, steps=3).values.tobytes()


def test_second_start_maps_packed_weights_and_gives_the_same_bytes(
    tiny: Path, cache_folder: Path
) -> None:
    first = draw(Generator.load(tiny, threads=1))
    kept = list(cache_folder.glob("*.packed"))
    assert len(kept) == 1
    assert draw(Generator.load(tiny, threads=1)) == first
    generator = Generator.load(tiny, threads=1)
    assert str(kept[0]) in Path("/proc/self/maps").read_text(encoding="utf-8")
    assert draw(generator) == first


def test_damaged_cache_costs_time_and_nothing_else(tiny: Path, cache_folder: Path) -> None:
    first = draw(Generator.load(tiny, threads=1))
    kept = next(cache_folder.glob("*.packed"))
    data = bytearray(kept.read_bytes())
    data[5000] ^= 1
    kept.write_bytes(data)
    assert draw(Generator.load(tiny, threads=1)) == first
    assert kept.read_bytes() != bytes(data)


def test_cache_can_be_off_or_out_of_reach(
    tiny: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENG_CACHE", "off")
    assert cache.folder() is None
    draw(Generator.load(tiny, threads=1))
    monkeypatch.setenv("GENG_CACHE", "/proc/nowhere")
    draw(Generator.load(tiny, threads=1))
    cache.keep("precision", {"a": 1}, "int8")
    assert cache.recall("precision", {"a": 1}) is None
    assert not list(cache_folder.iterdir())


@pytest.mark.parametrize("bad", [b"", b"[]", b"{}", b"\xff", b'{"key": 1}'])
def test_answer_that_cannot_be_read_is_forgotten(bad: bytes, cache_folder: Path) -> None:
    cache.keep("precision", {"a": 1}, "int8")
    assert cache.recall("precision", {"a": 1}) == "int8"
    assert cache.recall("precision", {"a": 2}) is None
    (cache_folder / "precision.json").write_bytes(bad)
    assert cache.recall("precision", {"a": 1}) is None


def test_auto_measures_once_and_keeps_the_answer(
    tiny: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Generator.load(tiny, "auto", threads=1).model.precision
    assert chosen in precision.PRECISIONS
    assert json.loads((cache_folder / "precision.json").read_text())["answer"] == chosen
    monkeypatch.setattr(precision, "_step_seconds", lambda *_: pytest.fail("measured again"))
    assert Generator.load(tiny, "auto", threads=1).model.precision == chosen


def test_auto_takes_the_faster(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for winner in precision.PRECISIONS:
        monkeypatch.setenv("GENG_CACHE", "off")
        monkeypatch.setattr(precision, "_step_seconds", lambda _p, name, _t, w=winner: name != w)
        assert precision.fastest(tiny, 1) == winner


def test_kernel_set_can_be_named_for_one_model(tiny: Path) -> None:
    scalar = _core.Model(str(tiny), "int8", 1, "scalar")
    assert scalar.isa == "scalar"
    x = np.ones((2, *scalar.latent_shape), np.float32)
    best = _core.Model(str(tiny), "int8", 1)
    assert np.allclose(scalar.bridge(x, 3, None), best.bridge(x, 3, None), rtol=1e-3, atol=1e-4)
