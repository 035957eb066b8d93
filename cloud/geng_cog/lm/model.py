"""The embedded model's network and file: LLaMA's architecture, int8 rows with float32 scales."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge import files
from geng_edge.errors import ModelFileError

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

FORMAT = "geng-cog 1"
MOST_BYTES = 64 * 2**20
SHAPE: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 352,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 1024,
    "tie_word_embeddings": True,
}


def build(vocabulary: int, seed: int = 0, **shape: Any) -> LlamaForCausalLM:
    """A fresh network with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(vocab_size=vocabulary, pad_token_id=0, bos_token_id=None, eos_token_id=1,
                    **{**SHAPE, **shape})
    )  # fmt: skip


def save(model: LlamaForCausalLM, path: Path, facts: dict[str, Any]) -> None:
    """Write weights as int8 with a float32 scale a row, whole or not at all.

    Args:
        model: Its matrices are rounded to 127 levels of each row's largest value.
        path: A .safetensors file.
        facts: Put into the header as JSON: data, recipe, licence, figures.

    Raises:
        OutputError: The file cannot be written.
    """
    from safetensors.numpy import save as pack

    tensors: dict[str, Any] = {}
    for name, value in model.state_dict().items():
        if name == "lm_head.weight":
            continue  # tied to the embedding
        array = value.detach().float().numpy()
        if array.ndim < 2:
            tensors[name] = array
            continue
        scale = np.maximum(np.abs(array).max(axis=1, keepdims=True), 1e-8) / 127.0
        tensors[name] = np.clip(np.rint(array / scale), -127, 127).astype(np.int8)
        tensors[f"{name}.scale"] = scale.astype(np.float32)
    config = model.config
    shape = {key: getattr(config, key) for key in SHAPE}
    header = {
        "format": FORMAT,
        "shape": json.dumps({**shape, "vocabulary": config.vocab_size}),
        "facts": json.dumps(facts),
    }
    with files.whole(path) as file:
        file.write(pack(tensors, metadata=header))


def load(path: Path) -> tuple[LlamaForCausalLM, dict[str, Any]]:
    """Read a file that :func:`save` wrote; a tenth of a second.

    Returns:
        The network, float32, ready to answer, and the facts of the header.

    Raises:
        ModelFileError: The file is missing, not whole or not ours.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > MOST_BYTES:
            raise ModelFileError(
                f"{path} is {path.stat().st_size} bytes; it must be at most {MOST_BYTES}"
            )
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            raw = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelFileError(
            f"{path}: {error}; it must be a model of geng-cog", path=path
        ) from error
    if header.get("format") != FORMAT:
        raise ModelFileError(
            f"{path} has format {header.get('format')!r}; it must be {FORMAT!r}", path=path
        )
    try:
        shape = json.loads(header["shape"])
        model = build(int(shape.pop("vocabulary")), **{key: shape[key] for key in SHAPE})
        state = {
            name: torch.from_numpy(
                value.astype(np.float32) * raw.get(f"{name}.scale", np.float32(1.0))
            )
            for name, value in raw.items()
            if not name.endswith(".scale")
        }
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
        model.load_state_dict(state)
        facts = json.loads(header.get("facts", "{}"))
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ModelFileError(
            f"{path}: {str(error)[:200]}; its tensors must fit its shape", path=path
        ) from error
    model.eval()
    return model, facts
