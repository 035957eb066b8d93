"""Frame, decoder, encoder and sampling loop of the torch models, on known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from geng_export.data.compose import compose, render
from geng_export.models import layout as at
from geng_export.models import noise, sampling, series_encoder
from geng_export.models.bridge import cosine_alpha_bar
from geng_export.models.decoder import Decoder
from geng_export.models.frame import Frame, RoleValue, frame_of, to_coordinates
from geng_export.models.layout import Layout

LAYOUT = Layout()


def test_decoder_renders_what_compose_rendered() -> None:
    rng = np.random.default_rng(0)
    decoder = Decoder(LAYOUT)
    for i in range(40):
        structure = compose(rng, LAYOUT, None, 1 + i % 4).structure
        # A harmonic exactly at the Nyquist limit is in or out by a rounding; step aside from it.
        structure[[at.SEASON_1, at.SEASON_2], at.PERIOD] *= 0.9999
        silent = structure.copy()
        silent[at.LEVEL, at.NOISE] = -9.0
        raw = torch.from_numpy(to_coordinates(silent, Frame()))[None]
        shape = decoder.shape(raw, Frame(), torch.zeros(1, 512, dtype=torch.float64))[0].numpy()
        parts = structure.copy()
        parts[at.LEVEL, at.NOISE] = 0.0
        np.testing.assert_allclose(shape, render(parts, LAYOUT, rng), atol=1e-9)


def test_decoder_holds_range_mean_and_resolution_exactly() -> None:
    roles = {
        "low": RoleValue(-5.0),
        "high": RoleValue(5.0),
        "mean": RoleValue(1.0),
        "resolution": RoleValue(0.25),
    }
    frame = frame_of(roles, 512)
    decoder = Decoder(LAYOUT)
    raw = torch.zeros(1, 10, 32)
    raw[0, at.TREND, 0] = 0.6
    raw[0, at.EVENTS, 0] = raw[0, at.EVENTS, 8] = 1.0
    raw[0, at.LEVEL, at.RANGE], raw[0, at.LEVEL, at.LOW] = 3.0, -3.0
    series = decoder(raw, frame, torch.randn(1, 512, generator=torch.manual_seed(0)))[0]
    assert float(series.min()) == -5.0
    assert float(series.max()) == 5.0
    assert float(series.mean()) == pytest.approx(1.0, abs=0.02)
    assert float((series * 4 - (series * 4).round()).abs().max()) == 0.0


@pytest.mark.parametrize(
    ("roles", "low", "span"),
    [
        ({"low": RoleValue(5.0), "high": RoleValue(-5.0)}, -5.0, 10.0),
        ({"center": RoleValue(20.0), "amplitude": RoleValue(3.0)}, 17.0, 6.0),
        ({"mean": RoleValue(20.0), "span": RoleValue(3.0)}, 18.5, 3.0),
    ],
)
def test_frame_takes_the_range_however_it_is_said(
    roles: dict[str, RoleValue], low: float, span: float
) -> None:
    frame = frame_of(roles, 512)
    assert (frame.low_centre, frame.range_centre) == (low, span)
    assert frame.has_range
    assert frame.has_level


def test_frame_ignores_what_cannot_be() -> None:
    roles = {
        "period": RoleValue(1.0, 0.5),
        "low": RoleValue(math.nan),
        "high": RoleValue(1e31),
        "position": RoleValue(900.0, 900.0),
    }
    frame = frame_of(roles, 512)
    assert not any((frame.has_range, frame.has_period[0], frame.has_position[0]))


def test_encoder_explains_composed_windows() -> None:
    rng = np.random.default_rng(3)
    torch.manual_seed(0)
    network = series_encoder.SeriesEncoder()
    windows = np.stack([compose(rng, LAYOUT, None, 1 + i % 4).series for i in range(12)])
    decoder = Decoder(LAYOUT)
    explained = []
    for x, structure in zip(windows, series_encoder.encode(network, LAYOUT, windows), strict=True):
        raw = torch.from_numpy(to_coordinates(structure, Frame()))[None]
        rebuilt = decoder.reconstruct(raw, Frame(), 512)[0].numpy()
        explained.append(1.0 - np.square(x - rebuilt).sum() / np.square(x - x.mean()).sum())
    assert np.median(explained) > 0.9


def test_first_dpmpp_step_equals_ddim_and_second_order_falls_fourfold() -> None:
    alpha_bar = cosine_alpha_bar()
    spread = 0.4

    def exact(x: torch.Tensor, t: int) -> torch.Tensor:
        alpha, sigma = sampling.alpha_sigma(alpha_bar, t)
        x0 = alpha * spread**2 / (alpha**2 * spread**2 + sigma**2) * x
        return (alpha * x - x0) / sigma

    start = torch.ones(1, 1, 1, dtype=torch.float64)
    ends = {n: float(sampling.dpmpp_2m(exact, alpha_bar, start, n)) for n in (20, 40, 500)}
    coarse, fine = abs(ends[20] - ends[500]), abs(ends[40] - ends[500])
    assert fine < coarse / 2.5


def test_philox_gives_the_published_words() -> None:
    zero = noise.philox(np.zeros((1, 4), dtype=np.uint32), (0, 0))[0]
    assert [hex(w) for w in zero] == ["0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8"]


def test_normals_are_standard_and_depend_on_the_seed_alone() -> None:
    drawn = noise.normals(7, noise.DECODER, 0, 20000)
    assert abs(float(drawn.mean())) < 0.03
    assert abs(float(drawn.std()) - 1.0) < 0.03
    np.testing.assert_array_equal(drawn[:100], noise.normals(7, noise.DECODER, 0, 100))
