"""The stage ``augment``: turn unlabeled documents into candidate pairs.

The model reads a document and names, within a small grammar, a quantity and a device of it: the quantity
in words that the project knows, the device in words copied from the document. The subject is put into one
of the wordings of tasks, and the same model, asked forwards, answers it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geng_cog.backends.causal import Writer
from geng_cog.grammar.nodes import End, State, Then, choice, literal
from geng_cog.grammar.statements import begin
from geng_cog.knowledge import Scenario, kinds, scenarios
from geng_cog.lm.texts import backward_prompt, prompt
from geng_cog.seeds import ask
from geng_cog.selftrain.candidates import Candidate
from geng_cog.selftrain.documents import Document, phrases
from geng_cog.stated import read_stated

#: Characters of a document that the model reads.
READ = 300


def augment(
    writer: Writer, documents: Sequence[Document], round_: int, seed: int, temperature: float = 0.8
) -> list[Candidate]:
    """One candidate for each document that offers a device.

    Args:
        writer: The model of the round before.
        documents: What to read.
        round_: Number of this curation round.
        seed: Of every draw.
        temperature: Of the writing.

    Cost: about 0.1 s a document on one core.
    """
    rng = np.random.default_rng((seed, round_))
    offered = [(d, phrases(d)) for d in documents]
    offered = [(d, p) for d, p in offered if p]
    subjects = writer.write(
        [backward_prompt(_shown(d)) for d, _ in offered], [subject(p) for _, p in offered],
        seed * 1000 + round_, temperature,
    )  # fmt: skip
    named, tasks = [], []
    for written in subjects:
        quantity, _, device = written.text.strip().partition(" of ")
        named.append(quantity)
        tasks.append(ask(f"{quantity} of {device}" if rng.random() < 0.5 else f"{device} {quantity}",
                         _times_for(quantity, rng), rng))  # fmt: skip
    stated = [read_stated(task) for task in tasks]
    answers = writer.write(
        [prompt(task) for task in tasks], [begin(s, 1, narrow=True) for s in stated],
        seed * 1000 + 500 + round_, temperature,
    )  # fmt: skip
    return [
        Candidate(d.id, quantity, task, answer.text.removesuffix("\nend"), round_)
        for (d, _), quantity, task, answer in zip(offered, named, tasks, answers, strict=True)
    ]


def _shown(document: Document) -> str:
    return f"{document.title}. {' '.join(document.text.split())}"[:READ]


def subject(known: tuple[str, ...]) -> State:
    """The grammar of a subject: ``quantity of device``, the device one of ``known``."""
    stop = Then(("stop",), lambda _: (End(),))
    devices = Then(("device", known), lambda _: choice(known, Then(("line",), lambda _: literal("\n", stop))))
    return choice(_quantities(), Then(("of", known), lambda _: literal(" of ", devices)))


def _quantities() -> tuple[str, ...]:
    return tuple(dict.fromkeys(s.said for s in scenarios("train")))


def _times_for(quantity: str, rng: np.random.Generator) -> Scenario:
    """A scenario of that quantity, whose usual times the task takes."""
    same = [s for s in scenarios("train") if s.said == quantity]
    return same[int(rng.integers(len(same)))]


def names(quantity: str) -> frozenset[str]:
    """Keys of the kinds that the word may mean."""
    keys = {s.kind.key for s in scenarios("train") if s.said == quantity}
    return frozenset(keys | {k for k, kind in kinds().items() if quantity in kind.words})
