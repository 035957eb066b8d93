"""What exports are made of: the model file that the device runs, so that they have its very weights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader

from geng_export.errors import ExportError
from geng_export.models.bundle import Bundle
from geng_export.targets.read_gguf import load_bundle


@dataclass(frozen=True)
class Source:
    """A model file as torch, and what torch's modules do not say.

    Attributes:
        path: The file.
        bundle: Its parts; int8 matrices as the float32 values that they stand for.
        smooth: Layer -> factors of its input's columns, where the file evens them out.
        words: The word embeddings, ``[vocabulary, hidden]``, as stored: int8 in an int8 file.
        word_scale: Scale of each row of ``words``; ones for float32.
        fingerprint: sha256 of the weights, which an export carries.
        sha256: Of the file.
    """

    path: Path
    bundle: Bundle
    smooth: dict[str, torch.Tensor]
    words: torch.Tensor
    word_scale: torch.Tensor
    fingerprint: str
    sha256: str

    @classmethod
    def load(cls, path: Path) -> Source:
        """Read a model file.

        Raises:
            ExportError: It is damaged or no model of this project.
        """
        bundle = load_bundle(path)
        reader = GGUFReader(path)
        raw = {tensor.name: np.asarray(tensor.data) for tensor in reader.tensors}
        if "geng.sha256" not in reader.fields:
            raise ExportError(f"{path}: metadata has no geng.sha256; it must name its weights")
        smooth = {
            name.removesuffix(".smooth"): torch.from_numpy(np.array(value, np.float32))
            for name, value in raw.items()
            if name.endswith(".smooth")
        }
        words = np.array(raw["text.word"])
        scale = np.array(raw.get("text.word.scale", np.ones(len(words), np.float32)))
        return cls(
            path,
            bundle,
            smooth,
            torch.from_numpy(words),
            torch.from_numpy(scale),
            str(reader.fields["geng.sha256"].contents()),
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
