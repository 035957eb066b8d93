"""The C++ core computes what torch computes, part by part and over a whole trajectory."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import torch

pytest.importorskip("geng_edge._core", reason="the device package is not built")

from geng_edge import Condition, Generator
from geng_export import parity
from geng_export.models import sampling
from geng_export.models.bundle import Bundle
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
def bundle() -> Bundle:
    return load_bundle(next(Path(str(files("geng_edge") / "models")).glob("*.gguf")))


@pytest.fixture(scope="module")
def errors(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    return parity.report(bundle, tmp_path_factory.mktemp("parity"))


@pytest.mark.parametrize("part", sorted(LIMITS))
def test_core_agrees_with_torch_on_the_shipped_model(part: str, errors: dict[str, float]) -> None:
    assert errors[part] <= LIMITS[part], f"{part}: {errors[part]:.2e}"


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("Could you invent daily gym visitor counts which repeat weekly and grow over time?", 7.0),
        ("Weekly pattern isn't wanted. Just irregular traffic counts.", None),
    ],
)
def test_both_take_a_recurrence_for_the_period_unless_it_is_denied(
    bundle: Bundle, text: str, period: float | None
) -> None:
    condition = parity.condition_of(bundle, text, 86400.0)
    roles = sampling.read_roles(bundle.reader, bundle.claims, condition, 512)
    assert (roles["period"].steps if "period" in roles else None) == period
    device = Generator.load().read_numbers(Condition(condition.numpy()))["roles"]
    assert (device["period"]["steps"] if "period" in device else None) == period


@pytest.mark.parametrize(
    ("text", "low"),
    [
        ("Mains voltage of 230 V \u00b1 10 %", 207.0),
        ("Humidity of 50 \u00b1 10 %", 40.0),
        ("-40\u2026+85 \u00b0C", -40.0),
    ],
)
def test_both_know_what_a_percentage_is_of(bundle: Bundle, text: str, low: float) -> None:
    condition = Condition.from_text(text, 60.0)
    assert bundle.frame(torch.from_numpy(condition.array), 512).low_centre == pytest.approx(low)
    frame = Generator.load().read_numbers(condition)["frame"]
    assert frame["low_centre"] == pytest.approx(low)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("accelerometer ±2 g, period 32", (-2.0, 2.0)),
        ("20 V plus or minus 3 V", (17.0, 23.0)),
        ("a swing of 4 V", None),
        ("a constant 5 V", (4.975, 5.025)),
        ("pressure stays at 1013 hPa all day", (1007.935, 1018.065)),
        ("constant at 3.3 V with noise of 0.01 V", (3.27, 3.33)),
    ],
)
def test_both_know_how_far_a_series_goes_from_a_level(
    bundle: Bundle, text: str, limits: tuple[float, float] | None
) -> None:
    condition = parity.condition_of(bundle, text, 1.0)
    frame = bundle.frame(condition, 512)
    low, span = frame.low_centre, frame.range_centre
    expected = limits and pytest.approx(limits)
    assert ((low, low + span) if frame.has_level else None) == expected
    device = Generator.load().read_numbers(Condition(condition.numpy()))["frame"]
    low, span = device["low_centre"], device["range_centre"]
    assert ((low, low + span) if device["has_level"] else None) == expected


def test_series_encoder_of_the_core_explains_as_torch_does(errors: dict[str, float]) -> None:
    # Least squares on near-equal candidates may settle on a neighbour, so this is no bit comparison.
    assert errors["series_encoder"] <= 2e-2
