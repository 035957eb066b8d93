"""What is exported of a model, part by part: a network, its inputs by name, and examples of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from geng_export.data.compose import compose
from geng_export.data.dataset import Mixture
from geng_export.data.dataset import Source as Examples
from geng_export.errors import ExportError
from geng_export.models.bridge import Bridge
from geng_export.models.claims_reader import shares
from geng_export.models.series_encoder import normalised
from geng_export.targets.networks import (
    MASKED,
    EncoderNetwork,
    MemoryNetwork,
    PlainMemoryNetwork,
    StepNetwork,
    TextNetwork,
    evened,
)
from geng_export.targets.source import Source

LICENCE = "Apache-2.0"
#: Raised when the inputs of a part change their meaning.
INTERFACE = 1
MAX_WORDS = 128
NO_DECODER = (
    "the decoder is no network: apart from the latent's mean and deviation, which the step's metadata "
    "carry, it renders trend, seasons, events and noise by formulas without weights"
)
_SEED, _CALIBRATION = 11, 24
_TIMESTEPS = (499, 374, 250, 125, 10)

Feed = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Part:
    """One network to be written as one file.

    Attributes:
        name: The file's, without its ending.
        module: In evaluation mode; takes ``inputs`` in their order.
        inputs: Examples of the shapes that are traced.
        outputs: Names.
        axes: Input -> axis -> name, for the axes that a target may leave open.
        facts: Metadata of this part.
        examples: Inputs as they come in use: what static quantisation is calibrated on.
    """

    name: str
    module: torch.nn.Module
    inputs: dict[str, torch.Tensor]
    outputs: tuple[str, ...]
    axes: dict[str, dict[int, str]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    examples: Callable[[], Iterator[Feed]] = lambda: iter(())


@dataclass(frozen=True)
class Variant:
    """How the parts are prepared for one target and precision.

    Attributes:
        quantised: int8: inputs of the large layers are evened out.
        rows: And brought to one range, row by row.
        words: Word pieces of a condition where shapes are fixed; else those of the traced example.
        samples: Latents in a step, likewise.
    """

    quantised: bool
    rows: bool
    words: int
    samples: int = 1


def facts_of(source: Source, precision: str) -> dict[str, str]:
    """Metadata that every file of an export carries."""
    return {
        "geng.interface": str(INTERFACE),
        "geng.fingerprint": source.fingerprint,
        "geng.sha256": source.sha256,
        "geng.model": source.path.name,
        "geng.licence": LICENCE,
        "geng.precision": precision,
    }


def parts_of(source: Source, variant: Variant) -> list[Part]:
    """Every network of a model: student and bridge, their memories, text expert, series encoder.

    Raises:
        ExportError: ``variant.words`` is out of range.
    """
    if not 1 <= variant.words <= MAX_WORDS:
        raise ExportError(f"words is {variant.words}; it must be 1 to {MAX_WORDS}")
    made: list[Part] = []
    bundle = source.bundle
    for name, bridge in (("student", bundle.student), ("bridge", bundle.bridge)):
        if bridge is not None:
            made += _bridge_parts(source, name, bridge, variant)
    made.append(_text_part(source, variant))
    encoder = EncoderNetwork(source, variant.rows, variant.quantised)
    window = torch.linspace(-0.5, 0.5, bundle.layout.window)[None]
    made.append(
        Part("encoder", encoder, {"window": window}, encoder.outputs, examples=lambda: _windows(source))
    )  # fmt: skip
    return made


def _bridge_parts(source: Source, name: str, bridge: Bridge, variant: Variant) -> list[Part]:
    bundle, config = source.bundle, bridge.config
    prepared = evened(bridge, name, source.smooth, variant.rows) if variant.quantised else bridge
    step = StepNetwork(prepared).eval()
    make = MemoryNetwork if config.answers else PlainMemoryNetwork
    memory = make(prepared).eval()
    told = dict(zip(memory.inputs, _told(source, variant.words), strict=False))
    with torch.no_grad():
        keys, values, *_ = memory(*told.values())
    tokens = keys.shape[-1]
    inputs = {
        "x": torch.zeros(variant.samples, config.tokens, config.width),
        "t": torch.full((1,), 250.0),
        "keys": keys,
        "values": values,
        "mask": torch.zeros(tokens),
    }
    facts = {
        "geng.network": name,
        "geng.prediction": "v",
        "geng.latent": json.dumps([config.tokens, config.width]),
        "geng.alpha_bar": json.dumps([float(f"{a:.9g}") for a in bundle.alpha_bar.tolist()]),
        "geng.latent_mean": _numbers(bundle.decoder.mean),
        "geng.latent_std": _numbers(bundle.decoder.std),
        "geng.decoder": NO_DECODER,
    }
    if name == "student":
        facts["geng.guidance"] = f"{bundle.recipe.student_guidance:g}"
        facts["geng.solver"] = "consistency"
    n = {"condition": {0: "words"}}
    return [
        Part(
            name, step, inputs, step.outputs,
            {"x": {0: "samples"}, "keys": {4: "memory"}, "values": {3: "memory"}, "mask": {0: "memory"}},
            facts, lambda: _steps(source, bridge, memory, tokens),
        ),
        Part(
            f"{name}-memory", memory, told, memory.outputs, n, {"geng.network": name},
            lambda: _memories(source, memory, variant.words),
        ),
    ]  # fmt: skip


def _numbers(values: torch.Tensor) -> str:
    return json.dumps([float(f"{value:.9g}") for value in values.flatten().tolist()])


def _text_part(source: Source, variant: Variant) -> Part:
    text = TextNetwork(source, variant.rows, variant.quantised)
    ids = torch.arange(variant.words, dtype=torch.int32) % len(source.words)
    facts = {"geng.number_columns": "32", "geng.hidden": str(source.words.shape[1])}
    return Part(
        "text", text, {"ids": ids, "mask": torch.zeros(variant.words)}, text.outputs,
        {"ids": {0: "words"}, "mask": {0: "words"}}, facts, lambda: _texts(source, variant.words),
    )  # fmt: skip


def _told(source: Source, words: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Condition, frame and answers of shapes alone."""
    bundle = source.bundle
    width = bundle.bridge.config.condition_width
    make = torch.Generator().manual_seed(_SEED)
    condition = torch.randn(words, width, generator=make)
    condition[:, -32:] = 0.0
    frame = torch.from_numpy(bundle.frame(condition, bundle.layout.window).features())
    answers = torch.full((bundle.bridge.config.answers,), 0.5)
    return condition, frame.float(), answers


def padded(rows: torch.Tensor, words: int) -> torch.Tensor:
    """Rows of zeros behind ``rows``, up to ``words``; what is longer is cut."""
    return torch.nn.functional.pad(rows[:words], (0, 0, 0, max(words - len(rows), 0)))


def _examples(source: Source) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Word pieces, number channels and raw latent of training examples."""
    drawn = Examples(source.bundle.layout, Mixture(0.5, 0.0), _SEED)
    for i in range(_CALIBRATION):
        example = drawn.example(0, i, source.bundle.expert.tokenizer)
        rows = (example.ids, example.numbers, example.raw)
        ids, numbers, raw = (torch.from_numpy(row) for row in rows)
        yield ids, numbers, raw


def _conditions(
    source: Source, memory: MemoryNetwork
) -> Iterator[tuple[tuple[torch.Tensor, ...], torch.Tensor]]:
    """What a memory is told of each example, and its latent."""
    bundle = source.bundle
    for ids, numbers, raw in _examples(source):
        batch = ids[None]
        with torch.no_grad():
            hidden = bundle.expert(batch, torch.ones_like(batch, dtype=torch.bool))[0].float()
            condition = torch.cat([hidden, numbers.float()], dim=-1)
            frame = bundle.frame(condition, bundle.layout.window).features()
            told = [condition, torch.from_numpy(frame).float()]
            if "answers" in memory.inputs and bundle.claims is not None:
                told.append(shares(bundle.claims(condition[None]))[0])
        yield tuple(told), raw


def _memories(source: Source, memory: MemoryNetwork, words: int) -> Iterator[Feed]:
    for (condition, *others), _ in _conditions(source, memory):
        told = (padded(condition, words), *others)
        yield {name: value.numpy() for name, value in zip(memory.inputs, told, strict=True)}


def _steps(source: Source, bridge: Bridge, memory: MemoryNetwork, tokens: int) -> Iterator[Feed]:
    """Noised latents of examples under their own conditions, and now and then under none."""
    decoder = source.bundle.decoder
    words = tokens - bridge.extra_tokens  # of a longer text, the first
    make = torch.Generator().manual_seed(_SEED)
    for i, ((condition, *others), raw) in enumerate(_conditions(source, memory)):
        x0 = ((raw - decoder.mean) / decoder.std).clamp(-7.0, 7.0).float()
        with torch.no_grad():
            keys, values, null_keys, null_values = memory(condition[:words], *others)
        alone = i % 4 == 3 and bridge is source.bundle.bridge
        keys, values = (null_keys, null_values) if alone else (keys, values)
        missing = tokens - keys.shape[-1]
        mask = torch.zeros(tokens)
        mask[keys.shape[-1] :] = MASKED
        for t in _TIMESTEPS:
            alpha_bar = source.bundle.alpha_bar[t]
            noise = torch.randn(x0.shape, generator=make)
            x = alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise
            yield {
                "x": x[None].numpy(),
                "t": np.array([t], np.float32),
                "keys": torch.nn.functional.pad(keys, (0, missing)).numpy(),
                "values": torch.nn.functional.pad(values, (0, 0, 0, missing)).numpy(),
                "mask": mask.numpy(),
            }


def _texts(source: Source, words: int) -> Iterator[Feed]:
    for ids, _, _ in _examples(source):
        row = np.zeros(words, np.int32)
        row[: len(ids)] = ids[:words].numpy()
        mask = np.full(words, MASKED, np.float32)
        mask[: len(ids)] = 0.0
        yield {"ids": row, "mask": mask}


def _windows(source: Source) -> Iterator[Feed]:
    rng = np.random.default_rng(_SEED)
    for i in range(_CALIBRATION):
        series = compose(rng, source.bundle.layout, None, 1 + i % 4).series
        yield {"window": normalised(series)[0][None].astype(np.float32)}
