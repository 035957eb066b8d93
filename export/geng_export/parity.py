"""Torch against the C++ core on the same inputs.

Every figure is a relative error, |device - torch| / |torch| (Frobenius): each part alone in float32,
the bridge in int8 per call, and a whole 20-step float32 trajectory.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from geng_edge._core import Model
from geng_edge.number_channels import number_channels
from geng_edge.numbers import find_numbers
from geng_export.data.compose import compose
from geng_export.models import noise, sampling, series_encoder
from geng_export.models.bundle import Bundle
from geng_export.models.certain_claims import certain, impose
from geng_export.models.claims_reader import shares
from geng_export.models.frame import Frame, to_coordinates
from geng_export.targets import gguf

TEXTS = (
    "Periodic data with a period of 64 steps, values range from -5 to 5, upward trend, no anomaly",
    "Air temperature between 18.5 and 26 degC, a daily cycle, mean 21, little noise, one spike at step 300",
    "No trend, no periodicity",
    "mean of 20 degC, period of 64 steps",
    "averages 20 V, never above 31 V, a spike",
)
WINDOW = 512
STEPS = 20
GUIDANCE = 0.5

FloatArray = npt.NDArray[np.float32]


def relative_error(device: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """|device - reference| / |reference|."""
    a, b = np.asarray(device, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    return float(np.linalg.norm(a - b) / max(float(np.linalg.norm(b)), 1e-30))


def tokenised(
    bundle: Bundle, text: str, interval: float
) -> tuple[npt.NDArray[np.int32], FloatArray]:
    """Word pieces and number channels of a text."""
    encoded = bundle.expert.tokenizer.encode(text)
    channels = number_channels(find_numbers(text, interval), encoded.offsets)
    return np.asarray(encoded.ids, dtype=np.int32), channels


def condition_of(bundle: Bundle, text: str, interval: float = 1.0) -> torch.Tensor:
    """Z_x by torch, float32 ``[tokens, width]``."""
    ids, numbers = tokenised(bundle, text, interval)
    batch = torch.from_numpy(ids.astype(np.int64))[None]
    hidden = bundle.expert(batch, torch.ones_like(batch, dtype=torch.bool))[0].float()
    return torch.cat([hidden, torch.from_numpy(numbers)], dim=-1)


def _predictions(
    bundle: Bundle, condition: torch.Tensor
) -> tuple[sampling.Predict, sampling.Predict]:
    memory = bundle.memory(bundle.bridge, condition, WINDOW)

    def conditional(x: torch.Tensor, t: int) -> torch.Tensor:
        n = len(x)
        return bundle.bridge(x, torch.full((n,), t), memory.expand(n, -1, -1))

    def unconditional(x: torch.Tensor, t: int) -> torch.Tensor:
        n = len(x)
        return bundle.bridge(x, torch.full((n,), t), bundle.bridge.null_memory(n))

    return conditional, unconditional


@torch.inference_mode()
def report(bundle: Bundle, folder: str | Path | None = None) -> dict[str, float]:
    """Worst relative error of each part over :data:`TEXTS`.

    Args:
        bundle: The torch model.
        folder: Where the two GGUF files are written; a temporary folder by default.

    Returns:
        Part -> error: ``text_expert``, ``bridge``, ``bridge_null``, ``decoder``, ``reconstruction``,
        ``series_encoder``, ``trajectory`` (float32), ``bridge_int8``, ``text_expert_int8``.
    """
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(folder or temporary)
        gguf.write(bundle, root / "parity-fp32.gguf", int8=False)
        gguf.write(bundle, root / "parity-int8.gguf", int8=True)
        full = Model(str(root / "parity-fp32.gguf"), "fp32", 1)
        small = Model(str(root / "parity-int8.gguf"), "int8", 1)
        worst: dict[str, float] = {}
        for i, text in enumerate(TEXTS):
            for part, error in _one_text(bundle, full, small, text, seed=i).items():
                worst[part] = max(worst.get(part, 0.0), error)
        worst |= _series_parts(bundle, full)
    return worst


def _one_text(bundle: Bundle, full: Model, small: Model, text: str, seed: int) -> dict[str, float]:
    ids, numbers = tokenised(bundle, text, 1.0)
    condition = condition_of(bundle, text)
    zx = condition.numpy()
    frame = bundle.frame(condition, WINDOW)
    conditional, unconditional = _predictions(bundle, condition)
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(4, *bundle.decoder.mean.shape, generator=rng)
    white = torch.randn(4, WINDOW, generator=rng)
    t = 250
    reference = conditional(x, t)
    predict = sampling.guided(conditional, unconditional, GUIDANCE)
    start = full.sample_latent(zx, 4, WINDOW, "dpmpp_2m", STEPS, guidance=GUIDANCE, seed=seed)
    shape = bundle.decoder.mean.shape
    rows = [noise.normals(seed + i, noise.INITIAL_LATENT, 0, shape.numel()) for i in range(4)]
    begin = torch.from_numpy(np.stack(rows)).view(4, *shape)
    latent = sampling.dpmpp_2m(predict, bundle.alpha_bar, begin, STEPS)
    if bundle.claims is not None and bundle.bridge.config.answers:
        sure = certain(shares(bundle.claims(condition[None]))[0])
        latent = impose(sure, latent, bundle.decoder)
    decoded = bundle.decoder(latent, frame, white)
    return {
        "text_expert": relative_error(full.encode_text(ids, numbers), zx),
        "text_expert_int8": relative_error(small.encode_text(ids, numbers), zx),
        "bridge": relative_error(full.bridge(x.numpy(), t, zx), reference),
        "bridge_null": relative_error(full.bridge(x.numpy(), t, None), unconditional(x, t)),
        "bridge_int8": relative_error(small.bridge(x.numpy(), t, zx), reference),
        "trajectory": relative_error(start, latent),
        "decoder": relative_error(
            full.decode_with_noise(latent.numpy(), zx, white.numpy(), calibrate=True), decoded
        ),
    }


def _series_parts(bundle: Bundle, full: Model) -> dict[str, float]:
    """E_y and the reconstruction on composed windows."""
    from geng_edge import _core

    assert isinstance(full, _core.Model)
    rng = np.random.default_rng(0)
    made = [compose(rng, bundle.layout, None, 1 + i % 4).series for i in range(8)]
    windows = np.stack(made).astype(np.float32)
    structures = series_encoder.encode(bundle.encoder, bundle.layout, windows.astype(np.float64))
    raw = np.stack([to_coordinates(s, Frame()) for s in structures])
    rebuilt = bundle.decoder.reconstruct(torch.from_numpy(raw), Frame(), WINDOW).numpy()
    return {
        "series_encoder": relative_error(full.encode_series(windows), raw),
        "reconstruction": relative_error(full.reconstruct(raw.astype(np.float32), WINDOW), rebuilt),
    }
