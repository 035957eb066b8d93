"""The texts that the embedded model is trained on and asked with: one page, so that both agree.

    task: <task>            <- prompt
    answer: <statement>     <- written under the grammar
    end                     <- last of the statement
     4                      <- the grade, read as the expectation over five digits

A document comes before a task as ``text: <document>``: that is the backward direction.
"""

from __future__ import annotations

from geng_cog.statement import (
    AND,
    ANOMALY,
    CHANNEL,
    END,
    EVERY,
    NOISE,
    PERIOD,
    SPAN,
    TO,
    TREND,
    VALUES,
    WAVE,
)

TASK, ANSWER, TEXT = "task: ", "\nanswer: ", "text: "
THEN_TASK = "\ntask: "
PAD, STOP = "<pad>", "<stop>"
GRADES = ("1", "2", "3", "4", "5")
#: Pieces that the tokenizer keeps whole.
MARKS = (
    TASK, ANSWER, TEXT, THEN_TASK, SPAN, EVERY, CHANNEL, VALUES, TO, PERIOD, WAVE, TREND, NOISE, ANOMALY,
    AND, END,
)  # fmt: skip


def prompt(task: str) -> str:
    """What stands before a statement."""
    return f"{TASK}{' '.join(task.split())}{ANSWER}"


def backward_prompt(document: str) -> str:
    """What stands before a task that a document suggests."""
    return f"{TEXT}{document}{THEN_TASK}"
