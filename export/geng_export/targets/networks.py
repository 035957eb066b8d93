"""The networks of a model as other runtimes get them: torch modules with named inputs.

A bridge (or the student) is two of them, as on the device: what is done once a request (the condition's
keys and values) and what is done at every step. Around them stay noise, schedule, guidance, number
channels and the decoder, which have no weights of their own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, cast

import torch
from torch.nn import functional as F

from geng_export.models.bridge import Block, Bridge
from geng_export.targets.source import Source

#: Layers of a block, and of a BERT layer's parts, that int8 exports multiply in int8, as the device does.
BLOCK_LAYERS = ("qkv", "o", "cq", "ckv", "co", "up", "down")
#: Added to the score of a token that is none.
MASKED = -1e9


def norm(x: torch.Tensor) -> torch.Tensor:
    """Layer norm without an affine part, as the bridge has it."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class Even(torch.nn.Module):
    """A linear layer that is made easy to quantise; the product is what it was.

    Args:
        layer: What it computes.
        smooth: Factors of the input's columns; the weights are divided by them (SmoothQuant). They are
            then the very int8 matrix of the model file times its scales.
        rows: Divide each row by its largest value first. What is quantised then has the same range for
            every row, which a runtime that has one scale for a whole tensor needs.
    """

    smooth: torch.Tensor
    loud: torch.Tensor

    def __init__(self, layer: torch.nn.Linear, smooth: torch.Tensor | None, rows: bool) -> None:
        super().__init__()
        weight = layer.weight.detach().clone()
        self.even, self.rows, self.channels = smooth is not None, rows, False
        if smooth is not None:
            weight = weight / smooth
            self.register_buffer("smooth", smooth.clone())
        self.register_buffer("loud", torch.zeros(len(weight)), persistent=False)
        self.weight = torch.nn.Parameter(weight, requires_grad=False)
        self.bias = torch.nn.Parameter(layer.bias.detach().clone(), requires_grad=False)

    def even_channels(self) -> None:
        """Divide each output channel by its loudest value so far, and multiply it back behind.

        For a runtime that quantises what a product gives with one scale for the whole tensor.
        """
        self.loud = self.loud.clamp(min=1e-6)
        self.weight.copy_(self.weight / self.loud[:, None])
        self.channels = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As the layer: ``[..., in]`` -> ``[..., out]``."""
        if self.even:
            x = x * self.smooth
        if not self.rows:
            return F.linear(x, self.weight, self.bias)
        most = x.abs().amax(dim=-1, keepdim=True).clamp(min=1e-12)
        # Together first: converters fold a constant factor into the weights again.
        back = most * self.loud if self.channels else most
        return F.linear(x / most, self.weight) * back + self.bias


@torch.no_grad()
def even_channels(module: torch.nn.Module, examples: Iterable[Iterable[torch.Tensor]]) -> None:
    """Even out the outputs of every :class:`Even` layer by what examples make of them."""
    layers = [layer for layer in module.modules() if isinstance(layer, Even)]

    def seen(layer: Even, inputs: tuple[torch.Tensor, ...], y: torch.Tensor) -> None:
        # What the product gives: the layer's output without its bias and its row's range.
        given = inputs[0] * layer.smooth if layer.even else inputs[0]
        most = given.abs().amax(dim=-1, keepdim=True).clamp(min=1e-12)
        loudest = ((y - layer.bias) / most).abs().flatten(0, -2).amax(dim=0)
        layer.loud = torch.maximum(layer.loud, loudest)

    handles = [layer.register_forward_hook(seen) for layer in layers]
    try:
        for example in examples:
            module(*example)
    finally:
        for handle in handles:
            handle.remove()
    for layer in layers:
        layer.even_channels()


def evened(bridge: Bridge, name: str, smooth: Mapping[str, torch.Tensor], rows: bool) -> Bridge:
    """A copy of a bridge whose blocks are easy to quantise.

    Args:
        bridge: The bridge or the student.
        name: Which: ``bridge`` or ``student``.
        smooth: From :class:`geng_export.targets.source.Source`.
        rows: As in :class:`Even`.
    """
    made = copy.deepcopy(bridge)
    for i, block in enumerate(made.blocks):
        for layer in BLOCK_LAYERS:
            factors = smooth.get(f"{name}.{i}.{layer}")
            setattr(block, layer, Even(getattr(block, layer), factors, rows))
    setattr(made, "condition", Even(made.condition, None, rows))  # noqa: B010  typed as a Linear
    return made.eval().requires_grad_(False)


class StepNetwork(torch.nn.Module):
    """v of noised latents at one timestep: what is done at every step.

    Inputs, with n tokens of memory and d = dim / heads: x ``[samples, tokens, width]``, t float32
    ``[1]``, keys ``[depth, 1, heads, d, n]``, values ``[depth, 1, heads, n, d]``, mask ``[n]``: 0, or
    :data:`MASKED` where there is no token.
    """

    inputs: tuple[str, ...] = ("x", "t", "keys", "values", "mask")
    outputs = ("v",)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge
        self.blocks = [cast(Block, block) for block in bridge.blocks]
        self.heads = bridge.config.heads
        self.scale = (bridge.config.dim // self.heads) ** -0.5

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, n, dim]`` -> ``[batch, heads, n, dim / heads]``."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def mix(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """Attention: keys transposed, the mask added to the scores."""
        scores = self.split(q) @ k * self.scale
        if mask is not None:
            scores = scores + mask
        return (scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)

    def times(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Timesteps ``[1]`` -> mod ``[depth, 6, 1, dim]`` and fin ``[2, 1, dim]``."""
        shared, fin = self.bridge.modulation(t)
        rows = [(shared[0] + block.table).unflatten(0, (6, 1, -1)) for block in self.blocks]
        return torch.stack(rows), fin[0].unflatten(0, (2, 1, -1))

    def core(
        self,
        x: torch.Tensor,
        mod: torch.Tensor,
        fin: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """v of the shape of x; keys and values may have one batch row for all samples."""
        h = self.bridge.input(x) + self.bridge.position
        for i, block in enumerate(self.blocks):
            sh1, sc1, g1, sh2, sc2, g2 = (mod[i, j] for j in range(6))
            q, k, v = block.qkv(norm(h) * (1 + sc1) + sh1).chunk(3, dim=-1)
            own = self.mix(q, self.split(k).transpose(2, 3), self.split(v), None)
            h = h + g1 * block.o(own)
            h = h + block.co(self.mix(block.cq(norm(h)), keys[i], values[i], mask))
            up = block.up(norm(h) * (1 + sc2) + sh2)
            h = h + g2 * block.down(F.gelu(up, approximate="tanh"))
        return self.bridge.output(norm(h) * (1 + fin[1]) + fin[0])

    def forward(
        self,
        x: torch.Tensor,
        t: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """v of the shape of x."""
        mod, fin = self.times(t)
        return self.core(x, mod, fin, keys, values, mask)


class MemoryNetwork(torch.nn.Module):
    """Keys and values of one condition: what is done once a request.

    Inputs: condition ``[words, condition width]``, frame ``[features]``, answers ``[answers]``.
    Outputs: keys and values of the words and, behind them, of the frame and the answers; null_keys and
    null_values of no condition, which are one token. A padded word becomes a token that the step's
    mask must leave out.
    """

    inputs: tuple[str, ...] = ("condition", "frame", "answers")
    outputs = ("keys", "values", "null_keys", "null_values")
    no_keys: torch.Tensor
    no_values: torch.Tensor

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge
        self.blocks = [cast(Block, block) for block in bridge.blocks]
        self.heads = bridge.config.heads
        with torch.no_grad():
            keys, values = self._packed(bridge.null_memory(1))
        self.register_buffer("no_keys", keys)
        self.register_buffer("no_values", values)

    def _packed(self, memory: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        keys, values = [], []
        for block in self.blocks:
            k, v = (
                part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                for part in block.ckv(memory).chunk(2, dim=-1)
            )
            keys.append(k.transpose(2, 3))
            values.append(v)
        return torch.stack(keys), torch.stack(values)

    def forward(
        self, condition: torch.Tensor, frame: torch.Tensor, answers: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Keys ``[depth, 1, heads, d, n]``, values ``[depth, 1, heads, n, d]``; then of no condition."""
        keys, values = self._packed(self.bridge.memory(condition[None], frame[None], answers[None]))
        # No file may end in a bare constant, and a quantiser takes one for an activation.
        return (
            keys,
            values,
            self.no_keys + 0.0 * keys[..., :1],
            self.no_values + 0.0 * values[..., :1, :],
        )


class PlainMemoryNetwork(MemoryNetwork):
    """The same for a bridge that is told of no answers."""

    inputs: tuple[str, ...] = ("condition", "frame")

    def forward(  # type: ignore[override]  # one input less
        self, condition: torch.Tensor, frame: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """As :meth:`MemoryNetwork.forward`."""
        return super().forward(condition, frame, torch.zeros(0))


class TextNetwork(torch.nn.Module):
    """The text expert: ids int32 ``[words]``, mask ``[words]`` -> hidden ``[words, hidden]``.

    A condition is these columns and, behind them, the 32 number channels of each word. The word
    embeddings stay as the model file has them: int8 rows, each with its scale.
    """

    words: torch.Tensor
    word_scale: torch.Tensor
    places: torch.Tensor
    inputs = ("ids", "mask")
    outputs = ("hidden",)

    def __init__(self, source: Source, rows: bool, quantised: bool) -> None:
        super().__init__()
        expert = source.bundle.expert
        embeddings = expert.embeddings
        self.register_buffer("words", source.words)
        self.register_buffer("word_scale", source.word_scale)
        places = embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[:1]
        self.register_buffer("places", places.detach().clone())
        self.norm = copy.deepcopy(embeddings.LayerNorm)
        self.heads = int(expert.config.num_attention_heads)
        self.layers = torch.nn.ModuleList(
            _TextLayer(layer, self.heads, rows, quantised) for layer in expert.layers
        )
        self.eval().requires_grad_(False)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Hidden rows; those of padded words mean nothing."""
        scale = self.word_scale.index_select(0, ids)[:, None]
        h = self.words.index_select(0, ids).float() * scale
        h = self.norm(h + self.places[: ids.shape[0]])[None]
        for layer in self.layers:
            h = layer(h, mask)
        return h[0]


class _TextLayer(torch.nn.Module):
    """One layer of a BERT over ``[1, words, hidden]``."""

    def __init__(self, layer: Any, heads: int, rows: bool, quantised: bool) -> None:
        super().__init__()
        self.heads = heads
        attention = layer.attention

        def made(linear: torch.nn.Linear) -> torch.nn.Module:
            return Even(linear, None, rows) if quantised else copy.deepcopy(linear)

        self.q, self.k, self.v = (
            made(part) for part in (attention.self.query, attention.self.key, attention.self.value)
        )
        self.o = made(attention.output.dense)
        self.up, self.down = made(layer.intermediate.dense), made(layer.output.dense)
        self.norm1 = copy.deepcopy(attention.output.LayerNorm)
        self.norm2 = copy.deepcopy(layer.output.LayerNorm)

    def forward(self, h: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        q, k, v = (
            part(h).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.q, self.k, self.v)
        )
        scores = q @ k.transpose(2, 3) * (q.shape[-1] ** -0.5) + mask
        mixed = (scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)
        h = self.norm1(h + self.o(mixed))
        return self.norm2(h + self.down(F.gelu(self.up(h))))


class EncoderNetwork(torch.nn.Module):
    """The proposals of E_y: windows of mean 0 and range 1, ``[1, window]`` -> scores ``[1, outputs]``.

    What refines them (least squares) has no weights and stays with the caller.
    """

    inputs = ("window",)
    outputs = ("scores",)

    def __init__(self, source: Source, rows: bool, quantised: bool) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(source.bundle.encoder)
        if quantised:
            for block in self.encoder.blocks:
                for name in ("qkv", "o", "up", "down"):
                    setattr(block, name, Even(getattr(block, name), None, rows))
        self.eval().requires_grad_(False)

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        """Scores of periods and events."""
        return cast(torch.Tensor, self.encoder(window))
