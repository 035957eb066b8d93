"""The C++ core computes what torch computes, part by part and over a whole trajectory."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

pytest.importorskip("geng_edge._core", reason="the device package is not built")

from geng_export import parity
from geng_export.targets.read_gguf import load_bundle

LIMITS = {
    "text_expert": 1e-4,
    "bridge": 1e-4,
    "bridge_null": 1e-4,
    "decoder": 1e-4,
    "reconstruction": 1e-4,
    "trajectory": 1e-3,
    "bridge_int8": 3e-2,
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    model = next(Path(str(files("geng_edge") / "models")).glob("*.gguf"))
    return parity.report(load_bundle(model), tmp_path_factory.mktemp("parity"))


@pytest.mark.parametrize("part", sorted(LIMITS))
def test_core_agrees_with_torch_on_the_shipped_model(part: str, errors: dict[str, float]) -> None:
    assert errors[part] <= LIMITS[part], f"{part}: {errors[part]:.2e}"


def test_series_encoder_of_the_core_explains_as_torch_does(errors: dict[str, float]) -> None:
    # Least squares on near-equal candidates may settle on a neighbour, so this is no bit comparison.
    assert errors["series_encoder"] <= 2e-2
