"""Read a model file back into torch: for parity, evaluation and fine-tuning of a shipped model.

int8 matrices come back as the float32 values that they stand for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel

from geng_export.errors import ExportError
from geng_export.models import layout as at
from geng_export.models.bridge import Bridge, BridgeConfig
from geng_export.models.bundle import Bundle
from geng_export.models.claims_reader import SCORES, ClaimsReader
from geng_export.models.decoder import Decoder
from geng_export.models.layout import STRUCTURE_TOKENS, Layout
from geng_export.models.number_reader import NumberReader
from geng_export.models.series_encoder import SeriesEncoder
from geng_export.models.text_expert import NUMBER_WIDTH, TextExpert
from geng_export.targets.gguf import tensors_of
from geng_export.train.recipe import TWO_KINDS, Recipe


class _File:
    """Metadata and dequantised tensors of a file."""

    def __init__(self, path: Path) -> None:
        try:
            reader = GGUFReader(path)
        except (OSError, ValueError) as error:
            raise ExportError(f"{path}: {error}; it must be a GGUF file of geng-edge") from error
        self.fields = reader.fields
        raw = {t.name: np.asarray(t.data) for t in reader.tensors}
        self.tensors: dict[str, torch.Tensor] = {}
        for name, value in raw.items():
            if value.dtype == np.int8:
                value = value.astype(np.float32) * raw[f"{name}.scale"][:, None]
                smooth = raw.get(f"{name.removesuffix('.weight')}.smooth")
                value = value if smooth is None else value * smooth
            self.tensors[name] = torch.from_numpy(np.array(value, dtype=np.float32))

    def number(self, key: str) -> int:
        """A uint32 of the metadata."""
        if key not in self.fields:
            raise ExportError(f"metadata has no {key}; it must be a GGUF file of geng-edge")
        return int(self.fields[key].contents())

    def number_or(self, key: str, otherwise: int) -> int:
        """A uint32 of the metadata, where it is there."""
        return self.number(key) if key in self.fields else otherwise

    def text(self, key: str) -> str:
        """A string of the metadata; "" where it is missing."""
        return str(self.fields[key].contents()) if key in self.fields else ""


def load_bundle(path: str | Path) -> Bundle:
    """The model in ``path``, as torch modules.

    Raises:
        ExportError: The file is damaged or no model of this project.
    """
    file = _File(Path(path))
    number = file.number
    layout = Layout(
        tokens=number("geng.decoder.residual_tokens") + STRUCTURE_TOKENS,
        width=number("geng.bridge.width"),
        harmonics=number("geng.decoder.harmonics"),
        trend=number("geng.decoder.trend"),
        residual_total=number("geng.decoder.residual_total"),
        window=number("geng.window"),
    )
    hidden = number("geng.text.hidden")
    sizes = BridgeConfig(
        number("geng.bridge.tokens"),
        number("geng.bridge.width"),
        hidden + NUMBER_WIDTH,
        number("geng.bridge.dim"),
        number("geng.bridge.depth"),
        number("geng.bridge.heads"),
        SCORES if "geng.claims.fields" in file.fields else 0,
    )
    bridge = Bridge(sizes)
    student = Bridge(sizes) if "geng.student.guidance" in file.fields else None
    # A file may come without a series encoder; what stands in its place then is untrained.
    encoder = SeriesEncoder(
        layout.window,
        file.number_or("geng.encoder.dim", 16),
        file.number_or("geng.encoder.depth", 1),
        file.number_or("geng.encoder.heads", 2),
    )
    reader = NumberReader(
        hidden, file.tensors["reader.up.bias"].numel(), file.tensors["reader.mix.bias"].numel()
    )
    claims = None
    if "geng.claims" in file.fields:
        claims = ClaimsReader(hidden, file.tensors["claims.up.bias"].numel())
    recipe = Recipe(preset=file.text("geng.preset"), text_layers=number("geng.text.layers"))
    if student is not None:
        guidance = float(file.fields["geng.student.guidance"].contents())
        recipe = replace(recipe, student_guidance=guidance)
    facts: dict[str, object] = {"data_sha256": file.text("geng.data_sha256")}
    bundle = Bundle(
        recipe, _expert(file), reader, claims, bridge, student, Decoder(layout), encoder, facts
    )
    _fill(bundle, file)
    bundle.freeze()
    if _holds_two_kinds(bundle.decoder):
        return replace(bundle, recipe=replace(recipe, two_kinds=TWO_KINDS))
    return bundle


def _holds_two_kinds(decoder: Decoder) -> bool:
    """Whether the second event may be of any kind: one that it never was has no scale in the latent."""
    kinds = slice(at.EVENT_WIDTH, at.EVENT_WIDTH + len(at.EVENT_KINDS))
    unused = (decoder.mean == 0.0) & (decoder.std == 1.0)
    return not bool(unused[at.EVENTS, kinds].any())


def _expert(file: _File) -> TextExpert:
    number = file.number
    config = BertConfig(
        vocab_size=number("geng.text.vocab"),
        hidden_size=number("geng.text.hidden"),
        num_hidden_layers=number("geng.text.layers"),
        num_attention_heads=number("geng.text.heads"),
        intermediate_size=number("geng.text.ffn"),
        max_position_embeddings=number("geng.text.max_tokens"),
    )
    bert = BertModel(config, add_pooling_layer=False)
    # The file folds the one token type into the positions.
    torch.nn.init.zeros_(bert.embeddings.token_type_embeddings.weight)
    pieces = [str(p) for p in file.fields["tokenizer.ggml.tokens"].contents()]
    tokenizer = BertWordPieceTokenizer({piece: i for i, piece in enumerate(pieces)}, lowercase=True)
    return TextExpert(bert, tokenizer._tokenizer, config.num_hidden_layers)


@torch.no_grad()
def _fill(bundle: Bundle, file: _File) -> None:
    """Copy each tensor of the file over the parameter that exports under its name.

    ``tensors_of`` hands out views of the parameters' own memory, so writing into them is enough.
    """
    for tensor in tensors_of(bundle):
        if tensor.name == "schedule.alpha_bar":
            continue
        if tensor.name.startswith("encoder.") and "geng.encoder.dim" not in file.fields:
            continue
        if tensor.name not in file.tensors:
            raise ExportError(f"tensor {tensor.name!r} is missing; the file must be complete")
        tensor.value[...] = file.tensors[tensor.name].numpy()
    # This one is exported as a sum, which is no view of a parameter.
    places = bundle.expert.embeddings.position_embeddings.weight
    places.copy_(file.tensors["text.position"])
