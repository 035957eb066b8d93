"""One GGUF v3 file that carries a whole model.

Only this module writes it. Nothing in it depends on the CPU that will read it: int8 matrices are
stored row by row with their scales beside them, and each kernel set packs them at load.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from gguf import GGUFReader, GGUFWriter

from geng_edge.claims import TRENDS
from geng_export.data.answers import FIELDS
from geng_export.errors import ExportError
from geng_export.models.bridge import Bridge
from geng_export.models.bundle import Bundle
from geng_export.models.frame import ROLES
from geng_export.models.text_expert import NUMBER_WIDTH
from geng_export.quantize.int8 import Quantized, quantize, relative_error
from geng_export.quantize.smooth import column_ranges, smoothing

ALIGNMENT = 32
FORMAT_VERSION = 1
MAX_TOKENS = 128

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Named:
    """A tensor of the file; ``int8`` says that an int8 model quantises it."""

    name: str
    value: Array
    int8: bool = False


def _array(tensor: torch.Tensor) -> Array:
    return np.ascontiguousarray(tensor.detach().float().numpy())


def _linear(name: str, layer: Any, int8: bool = False) -> Iterator[Named]:
    yield Named(f"{name}.weight", _array(layer.weight), int8)
    yield Named(f"{name}.bias", _array(layer.bias))


def tensors_of(bundle: Bundle) -> Iterator[Named]:
    """Every tensor, in the order of the file."""
    yield from _text_tensors(bundle)
    yield from _linear("reader.up", bundle.reader.up)
    yield from _linear("reader.mix", bundle.reader.mix)
    yield from _linear("reader.down", bundle.reader.down)
    if bundle.claims is not None:
        yield from _linear("claims.up", bundle.claims.up)
        yield from _linear("claims.down", bundle.claims.down)
    yield from _bridge_tensors("bridge", bundle.bridge)
    if bundle.student is not None:
        yield from _bridge_tensors("student", bundle.student)
    yield Named("latent.mean", _array(bundle.decoder.mean))
    yield Named("latent.std", _array(bundle.decoder.std))
    yield Named("schedule.alpha_bar", _array(bundle.alpha_bar))
    encoder = bundle.encoder
    for name in ("patch", "band", "output"):
        yield from _linear(f"encoder.{name}", getattr(encoder, name))
    yield Named("encoder.position", _array(encoder.position))
    for i, block in enumerate(encoder.blocks):
        for name in ("qkv", "o", "up", "down"):
            yield from _linear(f"encoder.{i}.{name}", getattr(block, name))


def _bridge_tensors(part: str, bridge: Bridge) -> Iterator[Named]:
    """The bridge, or the student distilled from it."""
    yield from _linear(f"{part}.condition", bridge.condition, int8=True)
    names = {
        "frame": "frame",
        "input": "in",
        "time1": "time1",
        "time2": "time2",
        "mod": "mod",
        "fin": "fin",
        "output": "out",
    }
    # Stored small; the core multiplies all of these in float32.
    stored = ("mod", "fin")
    for attribute, name in names.items():
        yield from _linear(f"{part}.{name}", getattr(bridge, attribute), int8=name in stored)
    if bridge.claims is not None:
        yield from _linear(f"{part}.claims", bridge.claims)
    yield Named(f"{part}.null", _array(bridge.null))
    yield Named(f"{part}.position", _array(bridge.position))
    for i, block in enumerate(bridge.blocks):
        for name in ("qkv", "o", "cq", "ckv", "co", "up", "down"):
            yield from _linear(f"{part}.{i}.{name}", getattr(block, name), int8=True)
        yield Named(f"{part}.{i}.table", _array(block.table))  # type: ignore[arg-type]


def _text_tensors(bundle: Bundle) -> Iterator[Named]:
    """f, under the names of its parts; the one token type is folded into the positions."""
    embeddings = bundle.expert.embeddings
    yield Named("text.word", _array(embeddings.word_embeddings.weight), int8=True)
    places = embeddings.position_embeddings.weight[:MAX_TOKENS]
    yield Named("text.position", _array(places + embeddings.token_type_embeddings.weight[:1]))
    yield from _linear("text.norm", embeddings.LayerNorm)
    for i, module in enumerate(bundle.expert.layers):
        layer: Any = module  # a BertLayer, which transformers leaves untyped
        attention = layer.attention
        parts = {
            "q": attention.self.query,
            "k": attention.self.key,
            "v": attention.self.value,
            "o": attention.output.dense,
            "up": layer.intermediate.dense,
            "down": layer.output.dense,
        }
        for name, part in parts.items():
            yield from _linear(f"text.{i}.{name}", part, int8=True)
        yield from _linear(f"text.{i}.norm1", attention.output.LayerNorm)
        yield from _linear(f"text.{i}.norm2", layer.output.LayerNorm)


def _stored(
    tensors: list[Named], int8: bool, ranges: Mapping[str, Array]
) -> tuple[list[tuple[str, npt.NDArray[Any]]], dict[str, float]]:
    """Arrays as they go into the file, and the relative error of each quantised one.

    ``ranges`` names the layers whose inputs are evened out.
    """
    arrays: list[tuple[str, npt.NDArray[Any]]] = []
    errors: dict[str, float] = {}
    for tensor in tensors:
        if not (int8 and tensor.int8):
            arrays.append((tensor.name, tensor.value))
            continue
        weight, layer = tensor.value, tensor.name.removesuffix(".weight")
        if layer in ranges:
            factors = smoothing(weight, ranges[layer])
            arrays.append((f"{layer}.smooth", factors))
            weight = weight / factors
        packed: Quantized = quantize(weight)
        errors[tensor.name] = relative_error(weight, packed)
        arrays += [(tensor.name, packed.q), (f"{tensor.name}.scale", packed.scale)]
    return arrays, errors


def _sum_of(arrays: list[tuple[str, npt.NDArray[Any]]]) -> str:
    """sha256 of the tensor-data section, padding included."""
    digest = hashlib.sha256()
    for _, array in arrays:
        raw = array.tobytes()
        digest.update(raw + b"\0" * (-len(raw) % ALIGNMENT))
    return digest.hexdigest()


#: What a later training of the text side alone changes, and one of bridge and student alone.
TEXT_SIDE = re.compile(r"text\.\d+\.|reader\.|claims\.")
NETWORKS = re.compile(r"bridge\.|student\.|latent\.")


def _taken_over(
    arrays: list[tuple[str, npt.NDArray[Any]]], path: Path, trained: re.Pattern[str]
) -> list[tuple[str, npt.NDArray[Any]]]:
    """``arrays`` with all but what was trained as ``path`` has it, byte for byte."""
    found = {t.name: np.asarray(t.data) for t in GGUFReader(path).tensors}
    mine = dict(arrays)
    if {n for n in found if not n.endswith(".smooth")} != {
        n for n in mine if not n.endswith(".smooth")
    }:
        raise ExportError(f"{path} has other tensors than the model; it must be what it came from")
    return [(name, mine[name] if trained.match(name) else found[name]) for name in found]


def write(
    bundle: Bundle,
    path: str | Path,
    *,
    int8: bool = True,
    card: dict[str, object] | None = None,
    rest: Path | None = None,
    trained: re.Pattern[str] = TEXT_SIDE,
) -> dict[str, float]:
    """Write ``path``, whole or not at all; returns the relative error of each int8 matrix.

    Args:
        bundle: What to write.
        path: The file; it is replaced only when the new one is complete.
        int8: Quantise the large matrices; else everything is float32.
        card: The evaluation card, put into the file as JSON.
        rest: A file that all but what was trained is taken from as it is.
        trained: With ``rest``, the names of what was: :data:`TEXT_SIDE` or :data:`NETWORKS`.

    Raises:
        ExportError: ``rest`` has other tensors, or the file cannot be written.
    """
    target = Path(path)
    beside = target.with_suffix(".tmp")
    smoothed = rest is None or trained is NETWORKS
    ranges = column_ranges(bundle) if int8 and smoothed else {}
    arrays, errors = _stored(list(tensors_of(bundle)), int8, ranges)
    if rest is not None:
        arrays = _taken_over(arrays, rest, trained)
    writer = GGUFWriter(beside, "geng")
    writer.add_custom_alignment(ALIGNMENT)
    _add_metadata(writer, bundle, card or {})
    writer.add_string("geng.sha256", _sum_of(arrays))
    writer.add_array("tokenizer.ggml.tokens", bundle.expert.vocabulary())
    for name, array in arrays:
        writer.add_tensor(name, array)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        beside.replace(target)
    except OSError as error:
        raise ExportError(f"{target}: {error}; it must be writable, with room for it") from error
    finally:
        with contextlib.suppress(OSError):
            writer.close()
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    return errors


def read_card(path: Path | None) -> dict[str, object]:
    """An evaluation card; an empty one where no file is named.

    Raises:
        ExportError: The file cannot be read, or is no JSON object.
    """
    if path is None:
        return {}
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError(f"{path}: {error}; it must be a card in JSON") from error
    if not isinstance(card, dict):
        raise ExportError(f"{path} is no JSON object; it must be one")
    return card


def _add_metadata(writer: GGUFWriter, bundle: Bundle, card: dict[str, object]) -> None:
    text, bridge, layout = bundle.expert.config, bundle.bridge.config, bundle.layout
    writer.add_name(f"geng {bundle.recipe.preset}")
    writer.add_license("Apache-2.0")
    writer.add_string("geng.preset", bundle.recipe.preset)
    writer.add_string("geng.bridge.prediction", "v")
    writer.add_string("geng.evaluation_card", json.dumps(card, sort_keys=True))
    if bundle.student is not None:
        writer.add_float32("geng.student.guidance", bundle.recipe.student_guidance)
    if bundle.claims is not None:
        writer.add_string("geng.claims", json.dumps(FIELDS))
    if bridge.answers:
        fields = [name for name, answers in FIELDS.items() for _ in answers]
        writer.add_array("geng.claims.fields", fields)
        for i, direction in enumerate(TRENDS, FIELDS["trend"].index(TRENDS[0])):
            writer.add_uint32(f"geng.claims.trend_{direction}", fields.index("trend") + i)
        no_cycle = fields.index("periodic") + FIELDS["periodic"].index("no")
        writer.add_uint32("geng.claims.no_cycle", no_cycle)
    writer.add_string("geng.data_sha256", str(bundle.facts.get("data_sha256", "")))
    numbers = {
        "geng.format_version": FORMAT_VERSION,
        "geng.window": layout.window,
        "geng.text.hidden": text.hidden_size,
        "geng.text.heads": text.num_attention_heads,
        "geng.text.ffn": text.intermediate_size,
        "geng.text.layers": len(bundle.expert.layers),
        "geng.text.max_tokens": MAX_TOKENS,
        "geng.text.vocab": text.vocab_size,
        "geng.number_width": NUMBER_WIDTH,
        "geng.roles": len(ROLES),
        "geng.bridge.tokens": bridge.tokens,
        "geng.bridge.width": bridge.width,
        "geng.bridge.dim": bridge.dim,
        "geng.bridge.depth": bridge.depth,
        "geng.bridge.heads": bridge.heads,
        "geng.bridge.train_steps": len(bundle.alpha_bar),
        "geng.decoder.harmonics": layout.harmonics,
        "geng.decoder.trend": layout.trend,
        "geng.decoder.residual_tokens": layout.residual_tokens,
        "geng.decoder.residual_per_token": layout.residual_per_token,
        "geng.decoder.residual_total": layout.residual_total,
        "geng.encoder.dim": bundle.encoder.position.shape[1],
        "geng.encoder.depth": len(bundle.encoder.blocks),
        "geng.encoder.heads": bundle.encoder.heads,
    }
    for key, value in numbers.items():
        writer.add_uint32(key, int(value))
