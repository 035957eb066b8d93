"""Real windows with captions: the analyser reads each, and what it finds is put into words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geng_edge.analysis.analyser import analyse
from geng_edge.claims import Claims
from geng_export.data.phrases import phrase
from geng_export.data.real import RealWindow, windows
from geng_export.errors import ExportError
from geng_export.models.text_expert import TextExpert
from geng_export.train.real import chosen_windows

WINDOWS_PER_FILE = 30


@dataclass(frozen=True)
class Captioned:
    """A real window and a caption for it; a :class:`geng_export.evaluate.drawing.Description`.

    Attributes:
        x: ``[512]``, as the window has it.
        text: The caption.
        claims: What the caption states.
        anomalous: Whether the analyser finds an anomaly in the window.
        domain: As the manifest names it.
        task: Always 4: a caption says all it can.
    """

    x: npt.NDArray[np.floating[Any]]
    text: str
    claims: Claims
    anomalous: bool
    domain: str
    task: int = 4

    @property
    def interval(self) -> float:
        """Seconds a step."""
        return self.claims.interval

    def named_only(self) -> Captioned:
        """The same window with nothing said but what is measured: a task that nobody reasoned on."""
        unit = f" in {self.claims.unit}" if self.claims.unit else ""
        return replace(self, text=f"{self.claims.quantity or 'sensor'}{unit}")


def captioned_windows(folder: Path, split: str, most: int, seed: int = 0) -> list[Captioned]:
    """Up to ``most`` windows, domains as even as the data allow.

    Args:
        folder: Real series with a manifest.
        split: ``train``: windows that the shipped weights may have seen, a deterministic choice;
            ``development``: files that nothing was trained on.
        most: How many.
        seed: Of the choice and of the captions' words.

    Cost: about 15 ms a window.

    Raises:
        ExportError: The folder has no manifest, or no window of this split.
    """
    found = chosen_windows(str(folder)) if split == "train" else _held_out(folder, seed)
    if not found:
        raise ExportError(f"{folder} has no {split} window; it must have series of 512 steps")
    rng = np.random.default_rng((5_000_005, seed))
    by_domain: dict[str, list[RealWindow]] = defaultdict(list)
    for i in rng.permutation(len(found)):
        by_domain[found[i].domain].append(found[i])
    rounds = max(len(rows) for rows in by_domain.values())
    even = [rows[r] for r in range(rounds) for rows in by_domain.values() if r < len(rows)]
    return [_caption(window, rng) for window in even[:most]]


def captions_of(
    windows: Sequence[RealWindow], seed: int = 0, claims: Sequence[Claims] | None = None
) -> list[Captioned]:
    """Windows with their captions.

    Args:
        windows: Any.
        seed: Chooses the words.
        claims: What each caption states; by default, what the analyser finds.
    """
    rng = np.random.default_rng((5_000_005, seed))
    said = [None] * len(windows) if claims is None else claims
    return [_caption(window, rng, one) for window, one in zip(windows, said, strict=True)]


def _held_out(folder: Path, seed: int) -> list[RealWindow]:
    by_file: dict[str, list[RealWindow]] = defaultdict(list)
    for window in windows(folder, split="development"):
        by_file[window.file].append(window)
    rng = np.random.default_rng(seed)
    chosen: list[RealWindow] = []
    for rows in by_file.values():
        chosen.extend(rows[i] for i in rng.permutation(len(rows))[:WINDOWS_PER_FILE])
    return chosen


def _caption(
    window: RealWindow, rng: np.random.Generator, claims: Claims | None = None
) -> Captioned:
    found = analyse(window.x, window.interval)
    if claims is None:
        claims = found.claims(quantity=window.quantity, unit=window.unit)
    said = phrase(claims, rng, "train")
    return Captioned(window.x, said.text, said.claims, bool(found.events), window.domain)


@cache
def sentence_expert() -> TextExpert:
    """The text expert as it was pre-trained, which embeds captions for judges and baselines.

    Raises:
        ExportError: It is not installed.
    """
    return TextExpert.from_pretrained("minilm", 6)


def sentence_embeddings(texts: list[str]) -> npt.NDArray[np.float32]:
    """Mean of the word pieces of the text expert as it was pre-trained: float32 ``[n, 384]``.

    Every system and measure that needs a text as one vector takes this one, which no system tuned.
    """
    import torch

    expert = sentence_expert()
    rows = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([expert.tokenizer.encode(text).ids[:128]])
            rows.append(expert(ids, torch.ones_like(ids, dtype=torch.bool))[0].mean(dim=0).numpy())
    return np.stack(rows).astype(np.float32)
