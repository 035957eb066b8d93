"""The embedded backend: the small model that came with the package. No download, one CPU core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geng_cog.agreement import agreed
from geng_cog.backends.causal import Writer
from geng_cog.backends.protocol import Written
from geng_cog.features import read_asked
from geng_cog.following import followed
from geng_cog.grammar.nodes import State
from geng_cog.grammar.openings import opening
from geng_cog.grammar.statements import begin
from geng_cog.lm import model as network
from geng_cog.lm.texts import prompt
from geng_cog.lm.tokenizer import wrapped
from geng_cog.stated import Stated
from geng_cog.statement import parse
from geng_edge.errors import ModelFileError

FOLDER = Path(__file__).resolve().parent.parent / "models"
MODEL, TOKENIZER = "cog.safetensors", "tokenizer.json"
#: Writings that vote beside the likeliest one, and their temperature. Chosen on the tuning set.
VOTES, VOTING = 8, 0.5


class EmbeddedBackend:
    """Writes with a model file of :mod:`geng_cog.lm.model`.

    Args:
        folder: Holds ``cog.safetensors`` and ``tokenizer.json``; the package's own by default.
        votes: Writings beside the likeliest one whose agreement is the answer; 0 for the likeliest alone.

    Raises:
        ModelFileError: A file is missing, not whole or not ours.
    """

    name = "embedded"

    def __init__(self, folder: Path = FOLDER, votes: int = VOTES) -> None:
        if not (folder / TOKENIZER).is_file():
            raise ModelFileError(
                f"{folder} holds no {TOKENIZER}; it must hold it and {MODEL}", path=folder
            )
        model, self.facts = network.load(folder / MODEL)
        self.writer = Writer(model, wrapped(folder / TOKENIZER))
        self.votes = votes

    def write(
        self, tasks: Sequence[str], stated: Sequence[Stated], seed: int, temperature: float
    ) -> list[Written]:
        """One statement for each task, at temperature 0 the one that several writings agree on."""
        prompts = [prompt(task) for task in tasks]
        states = [bound(task, s) for task, s in zip(tasks, stated, strict=True)]
        first = self.writer.write(prompts, states, seed, temperature)
        if temperature > 0.0 or self.votes == 0:
            return first
        rows = [row for row in range(len(tasks)) for _ in range(self.votes)]
        more = self.writer.write(
            [prompts[row] for row in rows], [states[row] for row in rows], seed, VOTING,
            draws=[*range(self.votes)] * len(tasks),
        )  # fmt: skip
        return [
            _agreed([one, *more[row * self.votes : (row + 1) * self.votes]])
            for row, one in enumerate(first)
        ]


def _agreed(written: Sequence[Written]) -> Written:
    number, statement = agreed([parse(w.text) for w in written])
    return Written(statement.text(), written[number].certainty)


def bound(task: str, stated: Stated) -> State:
    """The grammar for a small model: what the task says binds it, and what is usual bounds it."""
    channels, limits = followed(task)
    return begin(
        stated, narrow=True, channels=channels, limits=limits, asked=read_asked(task),
        opens=lambda then: opening(task, channels, then),
    )  # fmt: skip
