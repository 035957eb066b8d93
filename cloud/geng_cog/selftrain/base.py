"""The base model: tokenizer and network, pretrained on documents and on prose of the scenarios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from geng_edge import files

from geng_cog.durations import duration_text
from geng_cog.knowledge import scenarios
from geng_cog.lm import model as network
from geng_cog.lm import tokenizer as pieces
from geng_cog.lm.texts import prompt
from geng_cog.lm.training import Example, Recipe, train
from geng_cog.seeds import Pair, reasoning, seed_pair
from geng_cog.selftrain.documents import Document, phrases
from geng_cog.statement import EVERY, SPAN

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BLOCK = 128
EXERCISES = 16_000
READING = Recipe(epochs=1.0, rate=2e-3, tokens=2048, decay=0.05)
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
    report: Callable[[int, int, float], None] | None = None,
    **shape: Any,
) -> dict[str, Any]:
    """Make tokenizer and base model in ``folder``: ``tokenizer.json`` and ``cog.safetensors``.

    Cost: about 10 minutes on one core for 7 MB of documents.
    """
    rng = np.random.default_rng(recipe.seed)
    pairs = [seed_pair([s], rng) for s in scenarios("train") for _ in range(3)]
    told = [prose(p) for p in pairs]
    texts = [f"{d.title}. {d.text}" for d in documents] + told
    # The marks come out of the statements here: they are pieces of their own, never parts of one.
    statements = [p.task for p in pairs] * 3 + [p.statement.text() for p in pairs]
    tokenizer = pieces.train([*texts, *statements])
    with files.whole(folder / "tokenizer.json") as file:
        file.write(tokenizer.to_str().encode())
    model = network.build(tokenizer.get_vocab_size(), recipe.seed, **shape)
    figures = train(model, _blocks(tokenizer, texts, rng), recipe, report)
    network.save(model, folder / "cog.safetensors", {"stage": "base", **figures})
    return figures


def exercise(
    documents: Sequence[Document],
    folder: Path,
    recipe: Recipe = READING,
    report: Callable[[int, int, float], None] | None = None,
) -> dict[str, Any]:
    """Teach the base model of ``folder`` to read a task: to repeat its subject and its times.

    Subjects are made of words of the documents, in all forms of asking and after words of no meaning, so
    that the model looks for the subject and copies it, whatever it is. No claim is learned here.

    Cost: about two minutes on one core.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model, facts = network.load(folder / "cog.safetensors")
    rng = np.random.default_rng((recipe.seed, 5))
    words = [p for d in documents for p in phrases(d)]
    figures = train(model, [_exercise(tokenizer, words, rng) for _ in range(EXERCISES)], recipe, report)
    network.save(model, folder / "cog.safetensors", {**facts, "reading": figures})
    return figures


def _exercise(tokenizer: Tokenizer, words: Sequence[str], rng: np.random.Generator) -> Example:
    known = scenarios("train")
    said, device, place = (words[int(rng.integers(len(words)))] for _ in range(3))
    if rng.random() < 0.3:
        said = known[int(rng.integers(len(known)))].said
    where = known[int(rng.integers(len(known)))].where.partition(" ")[0]
    made = replace(
        known[int(rng.integers(len(known)))], said=said, device=device, place=place,
        where=f"{where} {'an' if place[0] in 'aeiou' else 'a'} {place}",
    )  # fmt: skip
    pair = seed_pair([made], rng)
    task = pair.task
    if rng.random() < 0.5:
        chosen = [words[int(i)] for i in rng.integers(len(words), size=int(rng.integers(1, 3)))]
        frame, end = (": ", "") if rng.random() < 0.5 else (" ", ".")
        task = f"{' '.join(chosen)}{frame}{task}{end}"
    echo = reasoning([made]).partition(". ")[0]
    times = f"{SPAN}{duration_text(pair.statement.span)}{EVERY}{duration_text(pair.statement.interval)}"
    before = tokenizer.encode(prompt(task), add_special_tokens=False).ids
    after = tokenizer.encode(f"{echo}.{times}", add_special_tokens=False).ids
    return Example((*before, *after), (False,) * len(before) + (True,) * len(after))


def _blocks(tokenizer: Tokenizer, texts: Sequence[str], rng: np.random.Generator) -> list[Example]:
    """Texts in random order, cut into blocks of one length."""
    stop = tokenizer.token_to_id(pieces.STOP)
    ids: list[int] = []
    encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    for i in rng.permutation(len(texts)):
        ids += [*encoded[i].ids, stop]
    learned = (True,) * BLOCK
    return [
        Example(tuple(ids[at : at + BLOCK]), learned) for at in range(0, len(ids) - BLOCK + 1, BLOCK)
    ]
