"""What a board that is not there would take: counted work over what such boards are known to reach.

A step takes the longer of two times: its multiply-adds at the rate that other int8 and fp32 networks
reached on the board, or its weights at the board's reading speed where they outgrow its caches
(Williams, Waterman and Patterson 2009). The rates are ranges, so an estimate is one too.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geng_edge import _core
from geng_edge.bench.case import Case
from geng_edge.bench.work import Shape, Work, guided_steps
from geng_edge.request import DEFAULT_INTERVAL

if TYPE_CHECKING:
    from geng_edge.profiles import Profile

Range = tuple[float, float]
#: Of the fp32 peak: MobileNetV1 by XNNPACK on a Pi 3B+ at the low end, HPL on a Pi 5 at the high.
FP32_SHARE = (0.22, 0.49)
#: Of the int8 peak, with a dot product: ncnn on a Pi 5 and, on one core, on an AGX Orin.
INT8_SHARE = (0.21, 0.54)
#: Of the fp32 peak, without one: ncnn on a Pi Zero 2 W and on a Pi 4.
INT8_OVER_FP32 = (0.38, 1.37)
#: Cycles of one term of the decoder's sums: 2.0 were measured on x86-64, at the nominal clock of a
#: Zen 5 core; a board's core is assumed to need twice as many.
_DECODER_CYCLES = 4.0
_DOT_PRODUCT = ("dotprod", "i8mm", "avx_vnni", "avx512_vnni")
_CACHE = Path("/sys/devices/system/cpu/cpu0/cache")
_SIZES = {"": 1, "K": 2**10, "M": 2**20}


@dataclass(frozen=True)
class Machine:
    """What an estimate needs to know.

    Attributes:
        name: A profile's id, or ``here``.
        cores: Cores that the rates are of.
        hertz: Clock under load.
        int8, fp32: Multiply-adds a second of all cores, low and high.
        cache: Bytes of the largest cache.
        reading: Bytes a second from memory.
    """

    name: str
    cores: int
    hertz: float
    int8: Range
    fp32: Range
    cache: int
    reading: float

    @classmethod
    def of(cls, profile: Profile) -> Machine:
        """A board, from its profile."""
        board = profile.board
        cores = int(board["n_cores"].value)
        fp32 = float(board["fp32_gflops_core"].value) * 1e9 / 2 * cores
        reached = board["int8_board_gops"].value
        if reached is not None:
            int8 = (reached[0] * 1e9 / 2, reached[1] * 1e9 / 2)
        elif board["int8_gops_core"].value is not None:
            int8 = _share(float(board["int8_gops_core"].value) * 1e9 / 2 * cores, INT8_SHARE)
        else:
            int8 = _share(fp32, INT8_OVER_FP32)
        caches = [board[name].value or 0 for name in ("l2_kb", "l3_kb")]
        return cls(
            profile.id,
            cores,
            float(board["mhz_sustained"].value) * 1e6,
            int8,
            _share(fp32, FP32_SHARE),
            max(caches) * 1024,
            # Copying reads every byte and writes it.
            2 * float(board["mem_copy_gbs"].value) * 1e9,
        )

    @classmethod
    def here(cls, isa: str, mhz: int | None) -> Machine:
        """This machine, by its peaks and its memory's speed, measured now. Takes a second."""
        cores = _core.default_threads()
        fp32 = _core.measure_peak("fp32", isa) * cores
        int8 = (
            _share(_core.measure_peak("int8", isa) * cores, INT8_SHARE)
            if isa in _DOT_PRODUCT
            else _share(fp32, INT8_OVER_FP32)
        )
        hertz = (mhz or 2000) * 1e6
        return cls("here", cores, hertz, int8, _share(fp32, FP32_SHARE), _cache(), _reading())


@dataclass(frozen=True)
class Estimate:
    """Seconds, low and high.

    Attributes:
        step: Of the whole batch, guided where the case is.
        sample: From a condition to series, in a process that has the model loaded.
        bound: ``compute`` or ``memory``: which of the two sets the step's low end.
    """

    step: Range
    sample: Range
    bound: str

    @staticmethod
    def middle(ends: Range) -> float:
        """The geometric mean: as many times the low end as the high end is it."""
        return math.sqrt(ends[0] * ends[1])


def estimate(machine: Machine, shape: Shape, case: Case, words: int) -> Estimate:
    """Estimate a case on a machine.

    Args:
        machine: Where.
        shape: Of the model.
        case: Its kernel set is not looked at.
        words: Tokens of the condition.
    """
    guided = case.guidance != 0
    share = min(case.threads, machine.cores) / machine.cores
    weights = shape.block_weights * (1 if case.precision == "int8" else 4)
    reading = weights / machine.reading if weights > machine.cache else 0.0
    acts = guided_steps(case.steps, shape.train_steps, DEFAULT_INTERVAL)
    # The fast end of every rate gives the low end of a time.
    ends = [
        (machine.int8[i] if case.precision == "int8" else machine.fp32[i], machine.fp32[i])
        for i in (1, 0)
    ]

    def seconds(work: Work, rates: tuple[float, float]) -> float:
        return (work.blocks / rates[0] + work.exact / rates[1]) / share

    steps, samples = [], []
    for rates in ends:
        both, one = (
            max(seconds(shape.evaluation(case.batch, words, guided=g), rates), reading)
            for g in (guided, False)
        )
        beginning = seconds(shape.beginning(case.steps, words, guided=guided), rates)
        decoding = (
            shape.decoding(case.batch, case.length)
            * _DECODER_CYCLES
            / (machine.hertz * min(case.threads, machine.cores, case.batch))
        )
        steps.append(both)
        samples.append(beginning + sum(both if on else one for on in acts) + decoding)
    bound = "memory" if reading and steps[0] == reading else "compute"
    return Estimate((steps[0], steps[1]), (samples[0], samples[1]), bound)


def _share(peak: float, ends: Range) -> Range:
    return peak * ends[0], peak * ends[1]


def _cache() -> int:
    """Bytes of the largest cache that the system tells of; 0 where it tells none."""
    sizes = [0]
    for file in _CACHE.glob("index*/size"):
        found = re.fullmatch(r"(\d+)([KM]?)", file.read_text(encoding="ascii").strip())
        if found:
            sizes.append(int(found[1]) * _SIZES[found[2]])
    return max(sizes)


def _reading() -> float:
    """Bytes a second that one thread copies, read and written, from beyond every cache."""
    source = np.ones(2**24, np.float32)
    target = np.zeros_like(source)
    best = math.inf
    for _ in range(5):
        began = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - began)
    return 2 * source.nbytes / best
