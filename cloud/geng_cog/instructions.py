"""What a language model that was not tuned by this project is told: the form, and examples from the seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from geng_cog.evaluate.sets import draw_seeds
from geng_cog.knowledge import by_label
from geng_cog.lm.texts import prompt
from geng_cog.statement import END
from geng_cog.vocabulary import content_words
from geng_edge.claims import EVENT_KINDS, NOISE_LEVELS, TRENDS, WAVES

EXAMPLES = 4
_FORM = """You describe what the time series of a sensor looks like, as a short statement.
First one line of reasoning. Then, with exactly these words:
span <number> <unit>, every <number> <unit>     (units: week, day, h, min, s, ms)
# <quantity> [<unit of measurement>]
values <low> .. <high>
period <number> <unit>                          (or none; two are joined by " and ")
wave <one of {waves}>                           (none where the period is none)
trend <one of {trends}>
noise <one of {noises}>
anomaly <one of {events}> <up or down> <share of the span, 0 to 1>     (or none)
The lines from # to anomaly are repeated for each channel. The last line is: end
Keep to the times that the task states. Values must be physically possible."""


def system(task: str) -> str:
    """The rules, with the quantities that fit the task first in the list."""
    words = content_words(task)
    labels = sorted(by_label(), key=lambda label: (-len(words & content_words(label)), label))
    rules = _FORM.format(
        waves=", ".join(WAVES), trends=", ".join(TRENDS), noises=", ".join(NOISE_LEVELS),
        events=", ".join(EVENT_KINDS),
    )  # fmt: skip
    return f"{rules}\nQuantities: {'; '.join(labels)}"


def examples(task: str, number: int = EXAMPLES) -> list[tuple[str, str]]:
    """The seed pairs whose tasks share most words with this one, each of another scenario."""
    words = content_words(task)
    pairs = draw_seeds()
    order = sorted(range(len(pairs)), key=lambda i: (-len(words & content_words(pairs[i].task)), i))
    found: dict[str, tuple[str, str]] = {}
    for i in order:
        pair = pairs[i]
        found.setdefault(pair.scenarios[0].id, (pair.task, pair.statement.text() + END))
        if len(found) == number:
            break
    return list(found.values())


def as_text(task: str) -> str:
    """Rules and examples as one text, for a model that continues text."""
    shown = "\n\n".join(f"{prompt(asked)}{text}" for asked, text in reversed(examples(task)))
    return f"{system(task)}\n\n{shown}\n\n{prompt(task)}"


def as_messages(task: str) -> list[dict[str, str]]:
    """The same as a conversation, for a model that chats."""
    found = [{"role": "system", "content": system(task)}]
    for asked, text in reversed(examples(task)):
        found += [{"role": "user", "content": asked}, {"role": "assistant", "content": text}]
    return [*found, {"role": "user", "content": task}]


def answer_schema() -> dict[str, Any]:
    """JSON schema of a reply that holds one statement, for endpoints that constrain by schema."""
    return {
        "type": "object",
        "properties": {"statement": {"type": "string"}},
        "required": ["statement"],
        "additionalProperties": False,
    }


def seeded(seed: int) -> int:
    """A seed that every endpoint takes: 31 bits."""
    return int(np.random.default_rng(seed).integers(2**31 - 1))
