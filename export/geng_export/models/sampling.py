"""The sampling loop in torch: what the device's loop is checked against.

Same schedule, trajectory, guidance and DPM-Solver++(2M) as the C++ core; noise is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from geng_export.data.answers import FIELDS
from geng_export.models.claims_reader import SIZES, ClaimsReader, shares
from geng_export.models.frame import RoleValue, settle_both_ways, settle_stays
from geng_export.models.number_reader import NumberReader
from geng_export.models.text_expert import NUMBER_WIDTH

#: A second-best role of a number counts only when the network gives it at least this share.
LEAST_SHARE = 0.05

Predict = Callable[[torch.Tensor, int], torch.Tensor]


def trajectory(steps: int, train_steps: int = 500) -> list[tuple[int, int]]:
    """Pairs (t, t_next); the last t_next is -1."""
    t = [math.floor((train_steps - 1) * (1 - i / steps) + 0.5) for i in range(steps)]
    if steps == train_steps:
        t = [train_steps - 1 - i for i in range(steps)]
    return list(zip(t, [*t[1:], -1], strict=True))


def alpha_sigma(alpha_bar: torch.Tensor, t: int) -> tuple[float, float]:
    """alpha and sigma at timestep t; (1, 0) after the last."""
    if t < 0:
        return 1.0, 0.0
    a = float(alpha_bar[t])
    return math.sqrt(a), math.sqrt(1.0 - a)


def guided(conditional: Predict, unconditional: Predict, w: float) -> Predict:
    """Equation 4 on v, which is linear in eps at a given x."""

    def predict(x: torch.Tensor, t: int) -> torch.Tensor:
        v = conditional(x, t)
        return v if w == 0.0 else (w + 1.0) * v - w * unconditional(x, t)

    return predict


def dpmpp_2m(
    predict: Predict, alpha_bar: torch.Tensor, x: torch.Tensor, steps: int
) -> torch.Tensor:
    """DPM-Solver++(2M), Lu et al. 2022: from noise x to a latent; second order but at both ends."""
    previous: tuple[torch.Tensor, float] | None = None
    pairs = trajectory(steps, len(alpha_bar))
    for i, (t, t_next) in enumerate(pairs):
        alpha, sigma = alpha_sigma(alpha_bar, t)
        alpha_next, sigma_next = alpha_sigma(alpha_bar, t_next)
        x0 = alpha * x - sigma * predict(x, t)
        lam = math.log(alpha / sigma)
        if t_next < 0:
            return x0
        h = math.log(alpha_next / sigma_next) - lam
        d = x0
        if previous is not None and i < len(pairs) - 1:
            r = (lam - previous[1]) / h
            d = x0 + (x0 - previous[0]) / (2.0 * r)
        x = sigma_next / sigma * x - alpha_next * math.expm1(-h) * d
        previous = x0, lam
    return x


def read_roles(
    reader: NumberReader, claims: ClaimsReader | None, condition: torch.Tensor, length: int
) -> dict[str, RoleValue]:
    """The number of each role in one condition ``[tokens, width]``, as the device reads it.

    Neighbouring pieces of one value are one number. Surest first, each number takes one role and
    each role one number, so that two numbers that look alike are told apart by the surer one. What
    recurs and has no role is the period where there is none, unless the text denies a cycle. What is
    as far below as above is so about zero where no level is said, and what is said to stay somewhere does.
    """
    from geng_export.models.frame import ROLES

    scores = reader(condition[None])[0].log_softmax(dim=-1).double()
    pieces = condition[:, -NUMBER_WIDTH:]
    numbers: list[tuple[RoleValue, list[torch.Tensor]]] = []
    recurring: list[RoleValue] = []
    both_ways: list[RoleValue] = []
    stays: list[RoleValue] = []
    for i, piece in enumerate(pieces):
        if piece[0] <= 0.5:
            continue
        steps = float(piece[31]) if piece[6] > 0.5 else 0.0
        value = RoleValue(float(piece[30]), steps, bool(piece[5] > 0.5))
        goes_on = i > 0 and pieces[i - 1, 0] > 0.5 and numbers[-1][0] == value
        if not goes_on:
            numbers.append((value, []))
            if piece[29] > 0.5:
                recurring.append(value)
            if piece[28] > 0.5:
                both_ways.append(value)
            if piece[28] < -0.5:
                stays.append(value)
        numbers[-1][1].append(scores[i])
    choices = [
        (float(share), n, role)
        for n, (_, rows) in enumerate(numbers)
        for role, share in enumerate(torch.stack(rows).mean(dim=0))
        if share >= math.log(LEAST_SHARE)
    ]
    found: dict[str, RoleValue] = {}
    taken: set[int] = set()
    for _, n, role in sorted(choices, key=lambda choice: -choice[0]):
        if n not in taken and ROLES[role] not in found:
            taken.add(n)
            if role > 0:
                found[ROLES[role]] = numbers[n][0]
    left = next((value for value in recurring if value not in found.values()), None)
    shown = left is not None and 2.0 <= left.steps <= length / 2.0
    if left and shown and "period" not in found and claims and not _denies_cycle(claims, condition):
        found["period"] = left
    if both_ways:
        settle_both_ways(found, both_ways[0])
    if stays:
        settle_stays(found, stays[0])
    return found


def _denies_cycle(claims: ClaimsReader, condition: torch.Tensor) -> bool:
    parts = shares(claims(condition[None]))[0].split(SIZES)
    sure = dict(zip(FIELDS, parts, strict=True))["periodic"]
    return bool(sure[FIELDS["periodic"].index("no")] > 0.5)
