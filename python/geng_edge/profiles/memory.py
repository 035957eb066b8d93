"""How much memory a request takes, counted before any of it is allocated.

The plan is that of a first start, when the whole file is read for its checksum. Measured on x86-64 over
both precisions and every output, the peak was 0.84 to 0.99 of it; tests/python/test_profiles.py holds it
to 0.7 to 1.05.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geng_edge import _core
from geng_edge.device import memory
from geng_edge.errors import ProfileError
from geng_edge.precision import PRECISIONS
from geng_edge.profiles.profile import Profile
from geng_edge.request import LONGEST

MB = 2**20
_CHUNK = 32  # series that the core computes together
_CSV_ROWS = 256  # rows that a CSV holds as text at a time
_CSV_VALUE = (
    2 * 128 + 80
)  # bytes: a fixed-width text of 32 characters, its transpose, a Python string
_JSON_VALUE = 128 + 80 + 32  # bytes: the same, and a Python float
_TIME = 48 + 56 + 80  # bytes: a moment, its pointer and text
_TEXT = 20 * MB  # the tokenizer, its vocabulary and what importing them brings
_PICTURE = 50 * MB  # matplotlib and one figure
_PARQUET = 90 * MB  # pyarrow
_THREADS = 3 * MB  # their stacks, and what the allocator rounds up
_PER_ROW = 62  # bytes of work space for each row and column of the bridge; see bridge.h
_WINDOW = 512
_BLOCK = _WINDOW // 2  # steps of a chain that are drawn at a time
_REHEARSED = 16  # windows; see chain.h
_BLOCK_WEIGHT = re.compile(r"(text|bridge)\.\d+\..*weight")


@dataclass(frozen=True)
class ModelSizes:
    """What the plan needs to know of a model file.

    Attributes:
        file: Bytes of the file, all of them mapped.
        packed: Bytes of the weights as the kernels read them, by precision.
        tokens, dim, latent: Of the bridge: rows of a sequence, columns, floats of one latent.
        depth: Blocks of the bridge.
    """

    file: int
    packed: Mapping[str, int]
    tokens: int
    dim: int
    latent: int
    depth: int

    @classmethod
    def of(cls, path: Path) -> ModelSizes:
        """Read them from the file's header. Costs its checksum; allocates nothing of its size.

        Raises:
            ModelFileError: The file is missing, not whole or not ours.
        """
        report = _core.inspect(str(path))
        metadata: dict[str, Any] = report["metadata"]
        packed = dict.fromkeys(PRECISIONS, 0)
        for name, _, shape, _ in report["tensors"]:
            if len(shape) == 2 and name.endswith("weight"):
                elements = shape[0] * shape[1]
                packed["int8"] += elements * (1 if _BLOCK_WEIGHT.fullmatch(name) else 4)
                packed["fp32"] += elements * 4
        return cls(
            int(report["file_bytes"]),
            packed,
            int(metadata["geng.bridge.tokens"]),
            int(metadata["geng.bridge.dim"]),
            int(metadata["geng.bridge.tokens"]) * int(metadata["geng.bridge.width"]),
            int(metadata["geng.bridge.depth"]),
        )


@dataclass(frozen=True)
class Demand:
    """A request, as far as memory is concerned.

    Attributes:
        count, length: Series, and steps of each.
        guided: Whether guidance doubles the batch.
        precision: ``int8`` or ``fp32``.
        form: Extension of the output (``.npy``, ``.csv``, ...); empty for CSV to stdout.
        text: Whether a text is encoded here.
        picture: Whether a picture is drawn.
        streamed: Whether a chain is written while it grows, and only a block of it held.
    """

    count: int
    length: int
    guided: bool
    precision: str
    form: str = ""
    text: bool = False
    picture: bool = False
    streamed: bool = False

    def bytes(self, sizes: ModelSizes, process: int) -> dict[str, int]:
        """Bytes at the peak, by what they are for.

        Args:
            sizes: Of the model.
            process: What this process holds already.
        """
        return {
            "process": process + _THREADS + self.text * _TEXT + self.picture * _PICTURE,
            "model": sizes.file,
            "packed weights": sizes.packed[self.precision],
            "work space": self._work(sizes),
            "series": self.count * (4 * self._held() + 8 * sizes.latent + self._chain(sizes)),
            "output": self._output(),
        }

    def _held(self) -> int:
        return _BLOCK if self.streamed else self.length

    def _chain(self, sizes: ModelSizes) -> int:
        """What a chain keeps of each series: latents and details of the windows it rehearses."""
        if self.length <= LONGEST:
            return 0
        return _REHEARSED * (4 * sizes.latent + 8 * _WINDOW)

    def _work(self, sizes: ModelSizes) -> int:
        together = min(_CHUNK, self.count)
        rows = together * (2 if self.guided else 1) * sizes.tokens
        steps = min(self.length, LONGEST)
        decoder = 8 * (sizes.latent + steps) + 4 * steps
        keys = 2 * 4 * sizes.depth * sizes.dim * 160  # of the longest condition
        return rows * sizes.dim * _PER_ROW + together * decoder + 32 * steps + keys

    def _output(self) -> int:
        times = self._held() * _TIME
        if self.form == ".npy":
            return 0
        if self.form == ".json":
            return times + self._held() * _JSON_VALUE
        if self.form == ".parquet":
            return times + _PARQUET + self.count * self._held() * 4
        return times + min(self._held(), _CSV_ROWS) * self.count * _CSV_VALUE


def resident() -> int:
    """Bytes this process holds in memory now; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def check_fits(demand: Demand, path: Path, profile: Profile) -> dict[str, int]:
    """Refuse, with a plan, what would not fit.

    The limit is the profile's, or what is free on this device where that is less.

    Args:
        demand: What is asked.
        path: The model file.
        profile: Whose limit holds.

    Returns:
        Bytes at the peak, by what they are for.

    Raises:
        ProfileError: It does not fit; ``facts`` hold the plan.
        ModelFileError: The file is missing, not whole or not ours.
    """
    process = resident()
    limit = profile.memory_mb * MB
    free = memory()["available"] * MB
    left = min(limit, free + process) if free else limit
    sizes = ModelSizes.of(path)
    parts = demand.bytes(sizes, process)
    if sum(parts.values()) <= left:
        return parts
    raise _refusal(demand, sizes, process, profile, left)


def _refusal(
    demand: Demand, sizes: ModelSizes, process: int, profile: Profile, left: int
) -> ProfileError:
    parts = demand.bytes(sizes, process)
    fitting = {
        precision: _most_that_fit(replace(demand, precision=precision), sizes, left - process)
        for precision in dict.fromkeys((demand.precision, "int8"))
    }
    ways = [f"--precision {p} --count {count}" for p, count in fitting.items() if count]
    allowed = f"{profile.id} allows {profile.memory_mb} MB"
    if left < profile.memory_mb * MB:
        allowed += f", of which this device has {left // MB} MB free"
    listed = ", ".join(f"{name} {_mb(size)}" for name, size in parts.items())
    return ProfileError(
        f"request needs {_mb(sum(parts.values()))} MB ({listed}); {allowed}: "
        + (f"{' or '.join(ways)} would fit" if ways else "no count fits, a smaller model might"),
        needed_mb=_mb(sum(parts.values())),
        limit_mb=left // MB,
        parts_mb={name: _mb(size) for name, size in parts.items()},
        fitting=fitting,
    )


def _most_that_fit(demand: Demand, sizes: ModelSizes, left: int) -> int:
    """The largest count, up to the one asked, that takes at most ``left`` bytes; 0 if none does."""
    low, high = 0, demand.count
    while low < high:
        middle = (low + high + 1) // 2
        needed = sum(replace(demand, count=middle).bytes(sizes, 0).values())
        low, high = (middle, high) if needed <= left else (low, middle - 1)
    return low


def _mb(size: int) -> int:
    return -(-size // MB)
