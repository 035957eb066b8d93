"""The base model: tokenizer and network, pretrained on documents and on prose of the scenarios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_cog.knowledge import scenarios
from geng_cog.lm import model as network
from geng_cog.lm import tokenizer as pieces
from geng_cog.lm.texts import STOP
from geng_cog.lm.training import Example, Recipe, train
from geng_cog.seeds import Pair, seed_pair
from geng_cog.selftrain.documents import Document
from geng_edge import files

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BLOCK = 128
RECIPE = Recipe(epochs=1.3, rate=3e-3, tokens=16 * BLOCK, decay=0.1)


def prose(pair: Pair) -> str:
    """A scenario told as a document would: no task, no statement."""
    s, claims = pair.scenarios[0], pair.statement.channels[0]
    unit = f" {claims.unit}" if claims.unit else ""
    lines = [
        f"{s.device[0].upper()}{s.device[1:]} {s.where}.",
        f"It measures {s.said}{f' in {claims.unit}' if claims.unit else ''}, a kind of {s.kind.name}.",
        s.habit.why,
        f"Values lie between {claims.low:g} and {claims.high:g}{unit}.",
    ]
    return " ".join(lines)


def pretrain(
    documents: Sequence[Document],
    folder: Path,
    recipe: Recipe = RECIPE,
    with_prose: bool = True,
    report: Callable[[int, int, float], None] | None = None,
    **shape: Any,
) -> dict[str, Any]:
    """Make tokenizer and base model in ``folder``: ``tokenizer.json`` and ``cog.safetensors``.

    Args:
        documents: Unlabeled.
        folder: What is made goes there.
        recipe: How to train; its seed also words the prose.
        with_prose: Read the scenarios' prose too. Without it the base knows no range of any scenario, and
            what a tuning shows is what its pairs teach; the tokenizer is the same.
        report: Told of progress: step, steps, loss.
        shape: Of the network, see :func:`geng_cog.lm.model.build`.

    Cost: about 10 minutes on one core for 7 MB of documents.
    """
    rng = np.random.default_rng(recipe.seed)
    pairs = [seed_pair([s], rng) for s in scenarios("train") for _ in range(3)]
    told = [prose(p) for p in pairs]
    texts = [f"{d.title}. {d.text}" for d in documents]
    # The marks come out of the statements here: they are pieces of their own, never parts of one.
    statements = [p.task for p in pairs] * 3 + [p.statement.text() for p in pairs]
    tokenizer = pieces.train([*texts, *told, *statements])
    with files.whole(folder / "tokenizer.json") as file:
        file.write(tokenizer.to_str().encode())
    model = network.build(tokenizer.get_vocab_size(), recipe.seed, **shape)
    read = [*texts, *told] if with_prose else texts
    figures = train(model, _blocks(tokenizer, read, rng), recipe, report)
    network.save(model, folder / "cog.safetensors", {"stage": "base", **figures})
    return figures


def _blocks(tokenizer: Tokenizer, texts: Sequence[str], rng: np.random.Generator) -> list[Example]:
    """Texts in random order, cut into blocks of one length."""
    stop = int(tokenizer.token_to_id(STOP) or 0)
    ids: list[int] = []
    encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    for i in rng.permutation(len(texts)):
        ids += [*encoded[i].ids, stop]
    learned = (True,) * BLOCK
    return [
        Example(tuple(ids[at : at + BLOCK]), learned)
        for at in range(0, len(ids) - BLOCK + 1, BLOCK)
    ]
