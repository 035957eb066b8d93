"""The stage ``augment``: turn unlabeled documents into candidate pairs.

The model reads a document and names, within a small grammar, a quantity and a thing of it: a quantity that
the project knows, of a kind that the document speaks of, and a device or a place in words of the document.
The subject is put into one of the wordings of tasks, and the same model, asked forwards, answers it in
several drafts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from geng_cog.backends.causal import Writer
from geng_cog.backends.embedded import bound
from geng_cog.grammar.nodes import End, State, Then, choice, literal
from geng_cog.knowledge import Scenario, kinds, scenarios
from geng_cog.lm.texts import backward_prompt, prompt
from geng_cog.seeds import ask
from geng_cog.selftrain.candidates import Candidate
from geng_cog.selftrain.documents import Document
from geng_cog.selftrain.things import likeness, things
from geng_cog.stated import read_stated
from geng_cog.statement import END
from geng_edge.errors import ArgumentError

#: Characters of a document that the model reads.
READ = 300
#: Subjects of a document among which the model chooses.
OFFERED = 6
#: Writings of each answer, and their temperature.
DRAFTS, ANSWERING = 4, 0.7
#: A quantity, as training scenarios call it, and a device or a place in words of a document.
Subject = tuple[str, str]
_FORMS = (
    "{q} of a {d}", "{d} {q}", "{q} from a {d}", "{d} measuring {q}", "{q} in a {d}", "{q} at the {d}",
    "{q} sensor in a {d}", "{d} {q} sensor", "{q} sensor at a {d}",
)  # fmt: skip


def augment(
    writer: Writer,
    documents: Sequence[Document],
    round_: int,
    seed: int,
    drafts: int = DRAFTS,
    temperature: float = 0.7,
    most: int | None = None,
) -> list[Candidate]:
    """One candidate for each document that offers a device, answered.

    Args:
        writer: The model of the round before.
        documents: What to read.
        round_: Number of this curation round.
        seed: Of every draw.
        drafts: Writings of each answer.
        temperature: Of the writing of subjects.
        most: Candidates; the first so many documents that offer a device are taken.

    Cost: about 0.03 s a document and 0.02 s a draft on one core.
    """
    rng = np.random.default_rng((seed, round_))
    offered = [(d, some) for d in documents if (some := _some(subjects(d), rng))][:most]
    written = writer.write(
        [backward_prompt(_shown(d)) for d, _ in offered],
        [grammar(some) for _, some in offered], seed * 1000 + round_, temperature,
    )  # fmt: skip
    found = []
    for chosen, (document, some) in zip(written, offered, strict=True):
        quantity, device = next(s for s in some if _said(s) == chosen.text.strip())
        form = _FORMS[int(rng.integers(len(_FORMS)))]
        task = ask(form.format(q=quantity, d=device), _times_for(quantity, rng), rng)
        if _readable(task.text):
            found.append(
                Candidate(document.id, quantity, device, task.text, task.asked, "", round_)
            )
    return answered(writer, found, seed * 1000 + 500 + round_, drafts)


def answered(
    writer: Writer, candidates: Sequence[Candidate], seed: int, drafts: int = DRAFTS
) -> list[Candidate]:
    """The candidates with new drafts of their answers, ungraded and unchecked."""
    rows = [c for c in candidates for _ in range(drafts)]
    states = {c.task: bound(c.task, read_stated(c.task)) for c in candidates}
    written = writer.write(
        [prompt(c.task) for c in rows], [states[c.task] for c in rows], seed, ANSWERING
    )
    texts = [w.text.removesuffix(END) for w in written]
    return [
        replace(
            c, text=texts[i * drafts], drafts=tuple(texts[i * drafts : (i + 1) * drafts]),
            support=None, grade=None, checks=(),
        )
        for i, c in enumerate(candidates)
    ]  # fmt: skip


def _readable(task: str) -> bool:
    """Whether the task states times that can be: a thing may be called by the word for one."""
    try:
        read_stated(task)
    except ArgumentError:
        return False
    return True


def _shown(document: Document) -> str:
    return f"{document.title}. {' '.join(document.text.split())}"[:READ]


def spoken(document: Document) -> tuple[str, ...]:
    """Names of quantities, as training scenarios call them, of the kinds that a document speaks of."""
    text = " ".join(re.findall(r"[a-z0-9.]+", f"{document.title} {document.text}".lower()))
    found = [
        s.said
        for s in scenarios("train")
        if any(f" {word.lower()} " in f" {text} " for word in (s.said, *s.kind.words))
    ]
    return tuple(dict.fromkeys(found))


def subjects(document: Document) -> tuple[Subject, ...]:
    """What a series of a document may be of: a quantity and a thing that a training scenario has it of."""
    said, met = spoken(document), things(document)
    known = [s for s in scenarios("train") if s.said in said]
    return tuple(
        dict.fromkeys((s.said, thing) for s in known for thing in met if likeness(s, thing))
    )


def _some(found: tuple[Subject, ...], rng: np.random.Generator) -> tuple[Subject, ...]:
    """A few of the subjects: left all of them, the model names the same ones again and again."""
    return tuple(found[int(i)] for i in rng.permutation(len(found))[:OFFERED])


def grammar(offered: tuple[Subject, ...]) -> State:
    """The grammar of a subject: ``quantity of device``, one of the offered."""
    stop = Then(("stop",), lambda _: (End(),))
    return choice(tuple(map(_said, offered)), Then(("line",), lambda _: literal("\n", stop)))


def _said(subject: Subject) -> str:
    quantity, device = subject
    return f"{quantity} of {device}"


def _times_for(quantity: str, rng: np.random.Generator) -> Scenario:
    """A scenario of that quantity, whose usual times the task takes."""
    known = names(quantity)
    same = [s for s in scenarios("train") if s.kind.key in known]
    return same[int(rng.integers(len(same)))]


def names(quantity: str) -> frozenset[str]:
    """Keys of the kinds that the word may mean."""
    keys = {s.kind.key for s in scenarios("train") if s.said == quantity}
    return frozenset(keys | {k for k, kind in kinds().items() if quantity in kind.words})
