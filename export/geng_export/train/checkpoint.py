"""Checkpoints: tensors in safetensors, the rest in JSON; written beside, then renamed."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from geng_export.errors import ExportError


def save(path: Path, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, object]) -> None:
    """Write ``path`` (safetensors) and its facts, whole or not at all.

    Raises:
        ExportError: The disk is full or refuses.
    """
    beside = path.with_suffix(".tmp")
    packed = {k: v.detach().contiguous().clone() for k, v in tensors.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(packed, beside, {"facts": json.dumps(facts)})
        beside.replace(path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise ExportError(f"{path}: {error}; it must be writable, with room for it") from error


def load(path: Path, run: str | None = None) -> tuple[dict[str, torch.Tensor], dict[str, object]]:
    """Read a checkpoint.

    Args:
        path: The file.
        run: The run that its facts must name; any by default.

    Raises:
        ExportError: There is none at ``path``, it is damaged, or of another run.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        tensors, facts = load_file(path), json.loads(metadata.get("facts", "{}"))
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise ExportError(
            f"{path}: {error}; it must be a checkpoint written by training"
        ) from error
    if run is not None and facts.get("run", "") != run:
        raise ExportError(
            f"{path.parent} is of another run; it must be a new folder, or of the same model, data and "
            "seed"
        )
    return tensors, facts


def check_steps(path: Path, done: int, steps: int) -> None:
    """Refuse to call a network that was trained for ``done`` steps one of fewer.

    Raises:
        ExportError: ``done`` is more than ``steps``.
    """
    if done > steps:
        raise ExportError(
            f"{path.parent} is of another run; {path.stem} is at step {done} there and must be trained "
            f"to {done} or more, or in a new folder"
        )


def sum_of(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of tensors and their names, as hexadecimal digits."""
    summed = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        summed.update(name.encode())
        summed.update(value.detach().contiguous().numpy().tobytes())
    return summed.hexdigest()


def load_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give an optimiser back the state that was saved as ``optimiser.<index>.<field>``."""
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in without_prefix("optimiser", tensors).items():
        index, field = name.split(".", 1)
        states.setdefault(int(index), {})[field] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": states, "param_groups": groups})


def prefixed(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Names with ``prefix.`` in front."""
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def without_prefix(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors under ``prefix.``, its part of the name removed."""
    start = len(prefix) + 1
    return {n[start:]: v for n, v in tensors.items() if n.startswith(prefix + ".")}
