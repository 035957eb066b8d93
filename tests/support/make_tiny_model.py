"""Make tests/data/golden/tiny_distilled.gguf: a whole model of random weights, small enough for git.

    python tests/support/make_tiny_model.py tests/data/golden/tiny_distilled.gguf

Its text expert is a random BERT over single characters, its bridge and student the ``tiny`` preset.
Its elder, tiny.gguf, is of the first release, which had neither a student nor a claims reader.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel

from geng_export.models.bridge import Bridge
from geng_export.models.bundle import Bundle
from geng_export.models.claims_reader import ClaimsReader
from geng_export.models.decoder import Decoder
from geng_export.models.number_reader import NumberReader
from geng_export.models.presets import Preset, preset
from geng_export.models.series_encoder import SeriesEncoder
from geng_export.models.text_expert import TextExpert
from geng_export.targets import gguf
from geng_export.train.recipe import Recipe

HIDDEN = 32


def _bridge(sizes: Preset) -> Bridge:
    bridge = Bridge(sizes.bridge_for(HIDDEN))
    for layer in (bridge.mod, bridge.fin, bridge.output):
        torch.nn.init.normal_(layer.weight, std=0.05)
    return bridge


def main(path: str) -> None:
    """Write the model."""
    torch.manual_seed(0)
    letters = [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    tokenizer = BertWordPieceTokenizer({p: i for i, p in enumerate(pieces)}, lowercase=True)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=HIDDEN,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    expert = TextExpert(BertModel(config, add_pooling_layer=False), tokenizer._tokenizer, 1)
    sizes = preset("tiny")
    bridge, student = (_bridge(sizes) for _ in range(2))
    decoder = Decoder(sizes.layout)
    decoder.std.fill_(0.3)
    bundle = Bundle(
        Recipe(preset="tiny", text_layers=1),
        expert,
        NumberReader(HIDDEN, 8, 8),
        ClaimsReader(HIDDEN),
        bridge,
        student,
        decoder,
        SeriesEncoder(512, 16, 1, 2),
    )
    bundle.freeze()
    gguf.write(bundle, Path(path), card={"note": "random weights, for tests"})


if __name__ == "__main__":
    main(sys.argv[1])
