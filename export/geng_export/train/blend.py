"""Blend the text sides of two model files.

``python -m geng_export.train.blend --old A --new B --share 0.75 --out FILE`` takes three quarters of each
weight from B, whose text side was trained on from A's, and a quarter from A: most of what it learned of
other words stays, and more of what A was right in (Wortsman et al. 2022, "Robust fine-tuning of
zero-shot models"). All the rest is A's, byte for byte.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import torch

from geng_export import console
from geng_export.errors import ExportError
from geng_export.models.bundle import Bundle
from geng_export.targets import gguf
from geng_export.targets.read_gguf import load_bundle

log = logging.getLogger("geng_export.train")


@torch.no_grad()
def blend(
    old: Path, new: Path, out: Path, share: float, card: dict[str, object] | None = None
) -> None:
    """Write ``out``: the old model with a text side between both.

    Args:
        old, new: Model files of the same sizes.
        out: The file to write, whole or not at all.
        share: Of the new text side, 0 to 1.
        card: Put into the file beside what was blended.

    Cost: a few seconds.

    Raises:
        ExportError: The share is out of range, a model has no claims reader, or their sizes differ.
    """
    if not 0.0 <= share <= 1.0:
        raise ExportError(f"share is {share:g}; it must be 0 to 1")
    bundle = load_bundle(old)
    for module, other in zip(
        _text_side(bundle, old), _text_side(load_bundle(new), new), strict=True
    ):
        mine, others = module.state_dict(), other.state_dict()
        if {k: v.shape for k, v in mine.items()} != {k: v.shape for k, v in others.items()}:
            raise ExportError(f"{new} has a text side of other sizes; it must have those of {old}")
        for name, value in mine.items():
            if value.is_floating_point():
                value.lerp_(others[name], share)
    bundle.freeze()
    report = {"old": old.name, "new": new.name, "share": share}
    gguf.write(bundle, out, card={**(card or {}), "blended": report}, rest=old)


def _text_side(bundle: Bundle, path: Path) -> tuple[torch.nn.Module, ...]:
    if bundle.claims is None:
        raise ExportError(f"{path} has no claims reader; it must have one to be blended")
    return bundle.expert, bundle.reader, bundle.claims


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m geng_export.train.blend", description=__doc__)
    parser.add_argument("--old", type=Path, required=True, help="model whose rest is kept")
    parser.add_argument("--new", type=Path, required=True, help="model that was trained on from it")
    parser.add_argument("--share", type=float, default=0.75, help="of the new one (default 0.75)")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument("--card", type=Path, help="evaluation card (JSON) to put into the file")
    arguments = parser.parse_args(argv)

    def command() -> None:
        card = gguf.read_card(arguments.card)
        blend(arguments.old, arguments.new, arguments.out, arguments.share, card)

    return console.run(command, log)


if __name__ == "__main__":
    sys.exit(main())
