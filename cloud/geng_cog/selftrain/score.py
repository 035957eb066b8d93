"""The stage ``score``: settle each candidate, and grade it by the model itself and by what can be checked.

Several drafts become one answer: what those that pass the cheap checks agree on. The share of all drafts
that say the same is its support. The grade is the expectation over the logits of the five digits, never a
parsed sentence. The checks: the text parses; nothing in it is doubtful; its quantity is the one that the
task names; trend and anomaly are what the task asks for; range and period are usual for the quantity, and so
are wave, noise and a trend that nobody asked for; times that were the model's choice show a cycle; the
reasoning speaks of the quantity; and the bridge, asked for the claims, yields a series in which the analyser
finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geng_cog.agreement import agreed
from geng_cog.backends.causal import Writer
from geng_cog.describe import describe
from geng_cog.evaluate.rubric import range_right, usual_noise, usual_trends
from geng_cog.knowledge import Kind, Scenario, by_label, scenarios
from geng_cog.lm.texts import GRADES, prompt
from geng_cog.plausible import doubts
from geng_cog.seeds import usual_periods
from geng_cog.selftrain.augment import names
from geng_cog.selftrain.candidates import Candidate
from geng_cog.selftrain.things import nearest
from geng_cog.stated import read_stated
from geng_cog.statement import END, Statement, anomaly_text, parse
from geng_cog.vocabulary import content_words
from geng_edge.claims import Claims, Event
from geng_edge.errors import ArgumentError
from geng_edge.wire.answer import ChannelClaims

if TYPE_CHECKING:
    from geng_edge import Generator

LENGTH = 512
#: A place in words is known to about a twelfth of the window.
_PLACE = 0.08


def grades(writer: Writer, candidates: Sequence[Candidate]) -> list[float]:
    """The expected grade of each candidate, 1 to 5."""
    digits = [writer.tokenizer.encode(f"{END}{g}", add_special_tokens=False)[-1] for g in GRADES]
    logits = writer.last_logits([f"{prompt(c.task)}{c.text}{END}" for c in candidates])
    shares = logits[:, digits].softmax(dim=1).numpy()
    return [float(row @ np.arange(1.0, 6.0)) for row in shares]


def score(
    writer: Writer,
    candidates: Sequence[Candidate],
    generator: Generator,
    progress: Callable[[int], None] | None = None,
) -> list[Candidate]:
    """Grade all candidates anew; settle and check those that are not yet checked.

    Cost: about 5 ms a candidate to grade, 5 ms to settle, 25 ms to check by the bridge.
    """
    settled_ = []
    for i, candidate in enumerate(candidates):
        new = candidate
        if not candidate.checks:
            new = settled(candidate)
            new = replace(new, checks=checked(new, generator))
        settled_.append(new)
        if progress is not None:
            progress(i + 1)
    return [
        replace(c, grade=round(grade, 4))
        for c, grade in zip(settled_, grades(writer, settled_), strict=True)
    ]


def settled(candidate: Candidate) -> Candidate:
    """The candidate with what its drafts agree on, those that pass the cheap checks where any does."""
    drafts = candidate.drafts or (candidate.text,)
    good = [draft for draft in drafts if _sound(replace(candidate, text=draft))]
    statements = [parse(draft) for draft in good or drafts]
    _, found = agreed(statements)
    alike = [s for s in statements if _gist(s) == _gist(found)]
    settled_ = replace(candidate, text=found.text())
    if good and not _sound(settled_):  # medians of two sorts of place fit neither
        settled_ = replace(candidate, text=(alike or statements)[0].text())
    return replace(settled_, support=round(len(alike) / len(drafts), 4) if good else 0.0)


def _sound(candidate: Candidate) -> bool:
    return all(value == 1.0 for _, value in cheap_checks(candidate))


def _gist(statement: Statement) -> tuple[object, ...]:
    """What two drafts that say the same have in common."""
    return tuple((c.quantity, c.unit, c.periods) for c in statement.channels)


def cheap_checks(candidate: Candidate) -> tuple[tuple[str, float], ...]:
    """The checks of one candidate that need no series."""
    try:
        statement = parse(candidate.text)
    except ArgumentError:
        return (("parses", 0.0),)
    claims = statement.channels[0]
    kind = by_label()[f"{claims.quantity} [{claims.unit}]"]
    return (
        ("parses", 1.0),
        ("plausible", float(not doubts(statement))),
        ("named", float(kind.key in names(candidate.named))),
        ("asked", float(does_as_asked(claims, candidate.asked))),
        ("usual", float(is_usual(claims, kind, statement, candidate))),
        ("habits", float(has_habits(claims, kind, candidate))),
        ("shown", float(shows(candidate.task, claims, kind))),
        ("echoed", float(echoes(candidate, statement))),
    )


def checked(candidate: Candidate, generator: Generator) -> tuple[tuple[str, float], ...]:
    """Every check of one candidate, by name, 0 to 1; the dear one only for what may be kept."""
    result = cheap_checks(candidate)
    if all(value == 1.0 for _, value in result):
        held = kept_by_bridge(parse(candidate.text), generator)
        result = (*result, ("bridge", round(held, 3)))
    return result


def does_as_asked(claims: ChannelClaims, asked: str) -> bool:
    """Whether trend and anomalies are those that the task asks for, and none where it asks for none."""
    what, _, value = asked.partition(" ")
    if what == "trend":
        return claims.trend == value and not claims.anomalies
    return anomaly_text(claims.anomalies) == (value if what == "anomaly" else "none")


def is_usual(claims: ChannelClaims, kind: Kind, statement: Statement, candidate: Candidate) -> bool:
    """Whether the range is right by the rubric for a training scenario of the kind, and the period usual."""
    same = _alike(kind, candidate)
    ranged = any(range_right(claims.low, claims.high, s.low, s.span) for s in same)
    shown = [p for s in same for p in usual_periods(s, statement.span, statement.interval)]
    if not claims.periods:
        never = any(not usual_periods(s, statement.span, statement.interval) for s in same)
        return ranged and never
    return ranged and any(abs(claims.periods[0] / p - 1.0) < 0.01 for p in shown)


def has_habits(claims: ChannelClaims, kind: Kind, candidate: Candidate) -> bool:
    """Whether wave, noise and a trend that nobody asked for are right by the rubric for one scenario."""
    free = not candidate.asked.startswith("trend")
    return any(
        claims.noise in usual_noise(s)
        and (not claims.periods or claims.wave in s.habit.waves)
        and (not free or claims.trend in usual_trends(s))
        for s in _alike(kind, candidate)
    )


def _alike(kind: Kind, candidate: Candidate) -> list[Scenario]:
    """The training scenarios of the kind whose device and place are most like the candidate's.

    Of these the ones that call the quantity as the task does, where there are any.
    """
    kin = [s for s in scenarios("train") if s.kind.key == kind.key]
    return nearest(kin, candidate.named, candidate.device)


def shows(task: str, claims: ChannelClaims, kind: Kind) -> bool:
    """Whether times that the model chose itself show a cycle, where the quantity usually has one."""
    stated = read_stated(task)
    if claims.periods or (stated.span is not None and stated.interval is not None):
        return True
    return not all(s.periods for s in scenarios("train") if s.kind.key == kind.key)


def echoes(candidate: Candidate, statement: Statement) -> bool:
    """Whether the reasoning speaks of the quantity that the task names."""
    said = content_words(statement.reasoning)
    named = content_words(candidate.named)
    return named <= said


def kept_by_bridge(statement: Statement, generator: Generator) -> float:
    """Share of the first channel's claims that the analyser finds in a series made for them."""
    from geng_edge import Condition
    from geng_edge.analysis.analyser import analyse
    from geng_edge.verify import checks

    claims = statement.channels[0]
    interval = statement.interval
    condition = Condition.from_text(describe(claims), interval, generator)
    series = generator.generate(condition, 1, length=LENGTH, interval=interval, seed=1)
    found = checks(analyse(series.values[0], interval), wanted(claims, interval))
    return sum(check.held for check in found) / len(found)


def wanted(claims: ChannelClaims, interval: float, length: int = LENGTH) -> Claims:
    """The claims of a channel as :mod:`geng_edge.verify` holds them against a series."""
    return Claims(
        trend=claims.trend,
        periodic=bool(claims.periods),
        periods=tuple(p / interval for p in claims.periods if p / interval <= length / 2.0),
        low=claims.low, high=claims.high, mean=claims.mean,
        events=tuple(Event(a.kind, a.position, a.direction, _PLACE) for a in claims.anomalies),
        interval=interval, length=length, unit=claims.unit, quantity=claims.quantity,
    )  # fmt: skip
