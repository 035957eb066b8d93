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
from geng_cog.selftrain.documents import Document, phrases
from geng_cog.stated import read_stated
from geng_cog.statement import END
from geng_edge.errors import ArgumentError

#: Characters of a document that the model reads.
READ = 300
#: Quantities of a document among which the model chooses.
OFFERED = 3
#: Writings of each answer, and their temperature.
DRAFTS, ANSWERING = 4, 0.7
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
    offered = [(d, phrases(d), _some(spoken(d), rng)) for d in documents]
    offered = [(d, p, q) for d, p, q in offered if p and q][:most]
    subjects = writer.write(
        [backward_prompt(_shown(d)) for d, _, _ in offered],
        [subject(q, p) for _, p, q in offered], seed * 1000 + round_, temperature,
    )  # fmt: skip
    found = []
    for written, (document, _, quantities) in zip(subjects, offered, strict=True):
        quantity, device = _parted(written.text.strip(), quantities)
        form = _FORMS[int(rng.integers(len(_FORMS)))]
        task = ask(form.format(q=quantity, d=device), _times_for(quantity, rng), rng)
        if _readable(task.text):
            found.append(Candidate(document.id, quantity, task.text, task.asked, "", round_))
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


def _some(quantities: tuple[str, ...], rng: np.random.Generator) -> tuple[str, ...]:
    """A few of the quantities: left all of them, the model names the same ones again and again."""
    return tuple(quantities[int(i)] for i in rng.permutation(len(quantities))[:OFFERED])


def subject(quantities: tuple[str, ...], devices: tuple[str, ...]) -> State:
    """The grammar of a subject: ``quantity of device``, each one of the given."""
    stop = Then(("stop",), lambda _: (End(),))
    line = Then(("line",), lambda _: literal("\n", stop))
    device = Then(("device", devices), lambda _: choice(devices, line))
    return choice(quantities, Then(("of", devices), lambda _: literal(" of ", device)))


def _parted(text: str, quantities: tuple[str, ...]) -> tuple[str, str]:
    """Quantity and device of a subject; a quantity may hold an "of" itself."""
    quantity = max((q for q in quantities if text.startswith(f"{q} of ")), key=len)
    return quantity, text.removeprefix(f"{quantity} of ")


def _times_for(quantity: str, rng: np.random.Generator) -> Scenario:
    """A scenario of that quantity, whose usual times the task takes."""
    known = names(quantity)
    same = [s for s in scenarios("train") if s.kind.key in known]
    return same[int(rng.integers(len(same)))]


def names(quantity: str) -> frozenset[str]:
    """Keys of the kinds that the word may mean."""
    keys = {s.kind.key for s in scenarios("train") if s.said == quantity}
    return frozenset(keys | {k for k, kind in kinds().items() if quantity in kind.words})
