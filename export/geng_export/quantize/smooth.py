"""Even out the columns of activations before they are quantised (SmoothQuant, Xiao et al. 2023).

A row of activations has one int8 scale, so one loud column costs all others their precision. Each
column is divided by a factor, and the weights that meet it are multiplied by the same: the product is
what it was, and both sides are easier to quantise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch

from geng_export.data.dataset import Mixture, Source
from geng_export.models.bridge import Bridge
from geng_export.models.bundle import Bundle
from geng_export.train.batches import collate
from geng_export.train.text import condition_of

Array = npt.NDArray[np.float32]

#: Layers of a block whose inputs are evened out; those of the others have no loud columns.
LAYERS = ("qkv", "up", "down")
#: How much of the loudness goes over to the weights: 0 none of it, 1 all.
SHARE = 0.6
EXAMPLES = 24
TIMESTEPS = (499, 450, 374, 300, 250, 180, 125, 60, 10)
#: Ranges are kept to so many parts of a power of two: a sum's last bit depends on the threads that
#: add it up, and the same training must give the same file.
PARTS = 32
_SEED = 7


def column_ranges(bundle: Bundle) -> dict[str, Array]:
    """Largest absolute value in each column of each smoothed layer's input, by the layer's name.

    Seen on training examples at all noise levels. Cost: some seconds.
    """
    source = Source(bundle.layout, Mixture(0.5, 0.0), _SEED)
    noise = torch.Generator().manual_seed(_SEED)
    ranges: dict[str, torch.Tensor] = {}
    networks = {"bridge": bundle.bridge, "student": bundle.student}
    for i in range(EXAMPLES):
        example = source.example(0, i, bundle.expert.tokenizer)
        with torch.inference_mode():
            condition = condition_of(bundle.expert, collate([example]))[0]
        x0 = (torch.from_numpy(example.raw) - bundle.decoder.mean) / bundle.decoder.std
        t = torch.tensor(TIMESTEPS)
        alpha_bar = bundle.alpha_bar[t][:, None, None]
        eps = torch.randn(len(t), *x0.shape, generator=noise)
        x = alpha_bar.sqrt() * x0.clamp(-7.0, 7.0) + (1 - alpha_bar).sqrt() * eps
        for part, network in networks.items():
            if network is None:
                continue
            memory = bundle.memory(network, condition, bundle.layout.window)
            with torch.inference_mode(), _watched(part, network, ranges):
                network(x, t, memory.expand(len(t), -1, -1))
    return {name: _coarse(most.numpy()) for name, most in ranges.items()}


def _coarse(values: Array) -> Array:
    logs = np.round(np.log2(np.maximum(values, 1e-4).astype(np.float64)) * PARTS) / PARTS
    return np.exp2(logs).astype(np.float32)


@contextmanager
def _watched(part: str, network: Bridge, ranges: dict[str, torch.Tensor]) -> Iterator[None]:
    """Keep the column ranges of what the layers are given."""
    handles = []
    for i, block in enumerate(network.blocks):
        for layer in LAYERS:

            def seen(
                _: torch.nn.Module, given: tuple[torch.Tensor], name: str = f"{part}.{i}.{layer}"
            ) -> None:
                most = given[0].abs().flatten(0, -2).amax(dim=0)
                ranges[name] = torch.maximum(ranges.get(name, most), most)

            handles.append(getattr(block, layer).register_forward_pre_hook(seen))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def smoothing(weight: Array, most: Array) -> Array:
    """Factors of the input's columns, float32 ``[in]``, of geometric mean 1.

    Args:
        weight: ``[out, in]``; it is to be divided by them.
        most: Largest absolute value in each column of the input, ``[in]``.
    """
    loud = np.maximum(most, 1e-4).astype(np.float64) ** SHARE
    heavy = np.maximum(np.abs(weight).max(axis=0), 1e-4).astype(np.float64) ** (1.0 - SHARE)
    factors = heavy / loud
    return (factors / np.exp(np.log(factors).mean())).astype(np.float32)
