"""The line of reasoning of a small model: a quantity, the words of the task that place it, and a known cause.

Left to itself a model of a million weights writes words that are none. Here it chooses: among the names of
the quantities that the task leaves open, among the runs of the task's own words, and among the causes of
the habits that the project knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from geng_cog.grammar.nodes import State, Then, choice, literal
from geng_cog.knowledge import habits, scenarios

_PLACED = re.compile(
    r"\b((?:in|on|at|of|for|from|inside|under|beside)\s+(?:(?:an?|the)\s+)?)((?:[a-z][\w-]*\s*){1,4})",
    re.I,
)
_STOP = {
    "for", "over", "every", "with", "during", "covering", "lasting", "sampled", "at", "measuring",
    "including", "that", "and", "without", "one", "the", "a", "an", "in", "on", "of", "from", "slowly",
    "to", "or", "long", "by", "rising", "falling", "increasing", "decreasing", "trending", "please", "look",
    "middle", "start", "end", "beginning", "total", "while",
}  # fmt: skip
_MOST = 48


def opening(task: str, channels: tuple[frozenset[str], ...], then: Then) -> State:
    """``Quantity place. Cause.``, a quantity for each channel, and up to as many causes.

    Args:
        task: Whose words place the quantity.
        channels: The kinds that it leaves open for each channel; all where empty.
        then: What follows the reasoning.
    """
    return _Opening(task, channels, then).quantity(0)


@dataclass(frozen=True)
class _Opening:
    task: str
    channels: tuple[frozenset[str], ...]
    then: Then

    def quantity(self, number: int) -> State:
        among = self.channels[number]
        names = dict.fromkeys(
            s.said for s in scenarios("train") if not among or s.kind.label in among
        )
        said = tuple(n if number else n[0].upper() + n[1:] for n in names)
        follow = self._place if number + 1 == len(self.channels) else self._and
        return choice(said, Then(("said", self, number), lambda _: follow(number)))

    def _and(self, number: int) -> State:
        return literal(" and ", Then(("and", self, number), lambda _: self.quantity(number + 1)))

    def _place(self, _: int) -> State:
        placed = tuple(f" {run}" for run in places(self.task))
        stop = Then(("stop", self), lambda _: literal(". ", self._cause(1)))
        return choice(placed, stop) if placed else stop.follow("")

    def _cause(self, number: int) -> Then:
        def follow(_: str) -> State:
            why = tuple(dict.fromkeys(habit.why for habit in habits().values()))
            return choice(why, Then(("why", self, number), lambda _: self._more(number)))

        return Then(("cause", self, number), follow)

    def _more(self, number: int) -> State:
        rest = self.then.follow("")
        if number < len(self.channels):
            rest = (*rest, *literal(" ", self._cause(number + 1)))
        return rest


def places(task: str) -> tuple[str, ...]:
    """Runs of the task's words that may say where: a preposition and what follows it."""
    found: dict[str, None] = {}
    for match in _PLACED.finditer(task):
        run: list[str] = []
        for word in match[2].split():
            if word.lower() in _STOP:
                break
            run.append(word)
        if run and not any(c.isdigit() for c in run[0]):
            found[f"{' '.join(match[1].split())} {' '.join(run)}".lower()[:_MOST].strip(" -")] = (
                None
            )
    return tuple(run for run in found if run.isascii())
