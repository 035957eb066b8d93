"""The embedded model's tokenizer: byte-level BPE, single digits, the marks of a statement kept whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geng_cog.lm.texts import MARKS, PAD, STOP

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = 3072


def train(texts: Iterable[str]) -> Tokenizer:
    """Learn the pieces from texts; a minute for 10 MB on one core."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(MARKS),
        special_tokens=[PAD, STOP],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(mark, normalized=False) for mark in MARKS])
    return tokenizer


def wrapped(path: Path) -> Any:
    """The tokenizer of a file as transformers takes it, padding on the left."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_file=str(path), pad_token=PAD, eos_token=STOP, padding_side="left",
        clean_up_tokenization_spaces=False,
    )  # fmt: skip
