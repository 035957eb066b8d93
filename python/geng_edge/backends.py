"""Other runtimes in the network's place: the core samples, and asks them for v.

Noise, schedule, guidance and decoder stay the core's, so that series from the same seed agree but for
how exactly a runtime multiplies. An export (``python -m geng_export export``) is two files for each
network: ``student.onnx`` for a step and ``student-memory.onnx`` for what is done once a request; the
teacher's are called ``bridge``. Each names the model that it was made of, and another one is refused.
"""

from __future__ import annotations

import json
import os
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from geng_edge.errors import ArgumentError, BackendError, MissingExtraError, ModelFileError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float32]

BACKENDS = ("native", "onnxruntime", "litert")
#: What the inputs and outputs of an export mean; exports of another number are refused.
INTERFACE = "1"
#: Added to the score of a token that is none.
MASKED = -1e9
_SUFFIXES = {"onnxruntime": ".onnx", "litert": ".tflite"}
_NETWORKS = {True: "student", False: "bridge"}
_MOST_BYTES = 2**31
#: Rows of an input whose shape is fixed: words or samples.
_MOST_ROWS = 4096
_MOST_FACTS = 2**20


class Session(Protocol):
    """One file, loaded by its runtime."""

    @property
    def facts(self) -> Mapping[str, str]:
        """Its metadata."""

    @property
    def shapes(self) -> Mapping[str, Sequence[int | str]]:
        """Input -> sizes; a text where any size will do."""

    def run(self, feed: Mapping[str, Any]) -> list[Any]:
        """Outputs in the order of the metadata."""


class _Onnx:
    """A session of ONNX Runtime on the CPU."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtraError(
                "onnxruntime is not installed; pip install 'geng-edge[onnx]'", extra="onnx"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no common class
            raise _unreadable(path, "an ONNX file", error) from error
        self.facts: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.shapes: Mapping[str, Sequence[int | str]] = {
            port.name: port.shape for port in self._session.get_inputs()
        }
        self._outputs = list(_named(self.facts, "geng.outputs", path))

    def run(self, feed: Mapping[str, Any]) -> list[Any]:
        return list(self._session.run(self._outputs, dict(feed)))


class _LiteRt:
    """An interpreter of LiteRT, or of tflite-runtime where that is what there is."""

    def __init__(self, path: Path, threads: int) -> None:
        self.facts: Mapping[str, str] = _facts_behind(path)
        try:
            self._interpreter = _interpreter_class()(model_path=str(path), num_threads=threads)
            self._run = self._interpreter.get_signature_runner()
        except (ValueError, RuntimeError, TypeError) as error:
            raise _unreadable(path, "a LiteRT file", error) from error
        details = self._run.get_input_details()
        self.shapes: Mapping[str, Sequence[int | str]] = {
            name: [int(n) for n in port["shape"]] for name, port in details.items()
        }
        self._outputs = list(_named(self.facts, "geng.outputs", path))
        self._lock = threading.Lock()  # an interpreter keeps its inputs in itself

    def run(self, feed: Mapping[str, Any]) -> list[Any]:
        with self._lock:
            answer = self._run(**feed)
        return [np.asarray(answer[name]) for name in self._outputs]


def _interpreter_class() -> Any:
    for module in ("ai_edge_litert.interpreter", "tflite_runtime.interpreter"):
        try:
            found = import_module(module)
        except ImportError:
            continue
        if module.startswith("tflite") and int(np.__version__.partition(".")[0]) > 1:
            raise MissingExtraError(
                "tflite-runtime is built for NumPy 1 and this is NumPy "
                f"{np.__version__}; pip install 'geng-edge[litert]', or 'numpy<2'",
                extra="litert",
            )
        return found.Interpreter
    raise MissingExtraError(
        "ai-edge-litert is not installed; pip install 'geng-edge[litert]'", extra="litert"
    )


#: What opens one file: path and threads -> a session.
SESSIONS: dict[str, Callable[[Path, int], Session]] = {"onnxruntime": _Onnx, "litert": _LiteRt}


def _unreadable(path: Path, what: str, error: Exception) -> ModelFileError:
    words = str(error).replace("\n", " ")[:200]
    return ModelFileError(f"{path} cannot be loaded ({words}); it must be {what}", path=path)


def _facts_behind(path: Path) -> dict[str, str]:
    """Metadata of a .tflite file: ``geng.json`` in the zip archive that is appended to it."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("geng.json").file_size > _MOST_FACTS:
                raise ModelFileError(f"{path}: geng.json is too large; it must be our export")
            found = json.loads(archive.read("geng.json"))
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelFileError(
            f"{path} carries no geng.json; it must be an export of geng-export", path=path
        ) from error
    if not isinstance(found, dict):
        raise ModelFileError(f"{path}: geng.json is no object; it must be our export", path=path)
    return {str(key): str(value) for key, value in found.items()}


def _named(facts: Mapping[str, str], key: str, path: Path) -> dict[str, Any]:
    """A fact that is a JSON object."""
    try:
        found = json.loads(facts[key])
        if isinstance(found, dict):
            return found
    except (KeyError, ValueError):
        pass
    raise ModelFileError(
        f"{path} has no {key} in its metadata; it must be an export of geng-export", path=path
    )


@dataclass(frozen=True)
class _Pair:
    """Both files of one network."""

    step: Session
    memory: Session


class Backend:
    """Networks of an export; a function as :class:`geng_edge._core.Model` takes it for ``network``.

    Example:
        >>> from geng_edge import Generator
        >>> from geng_edge.backends import Backend
        >>> backend = Backend("onnxruntime", "exports/onnx/fp32")       # doctest: +SKIP
        >>> generator = Generator.load(backend=backend)                 # doctest: +SKIP
    """

    def __init__(self, name: str, path: str | os.PathLike[str], threads: int = 0) -> None:
        """Load an export.

        Args:
            name: ``onnxruntime`` or ``litert``.
            path: The folder of an export, or one of its files: then that network alone.
            threads: Of the runtime; 0 for as many as this process may use.

        Raises:
            ArgumentError: There is no such backend.
            MissingExtraError: Its package is not installed.
            ModelFileError: The files are missing or no export of ours.
        """
        if name not in SESSIONS:
            raise ArgumentError(
                f"backend is {name!r}; it must be one of {', '.join(BACKENDS)}",
                name="backend",
                value=name,
            )
        self.name = name
        self.path = Path(path)
        if threads == 0:
            from geng_edge import _core

            threads = _core.default_threads()
        folder, wanted = self._wanted()
        self._pairs: dict[bool, _Pair] = {}
        self.facts: Mapping[str, str] = {}
        for distilled, network in _NETWORKS.items():
            step, memory = (
                folder / f"{network}{part}{_SUFFIXES[name]}" for part in ("", "-memory")
            )
            if network in wanted and (step.exists() or len(wanted) == 1):
                self._pairs[distilled] = _Pair(
                    self._load(step, threads), self._load(memory, threads)
                )
        if not self._pairs:
            raise ModelFileError(
                f"{self.path} holds neither student{_SUFFIXES[name]} nor bridge{_SUFFIXES[name]}; "
                "it must be the folder of an export",
                path=self.path,
            )

    def _wanted(self) -> tuple[Path, tuple[str, ...]]:
        if self.path.is_dir():
            return self.path, tuple(_NETWORKS.values())
        network = self.path.stem.removesuffix("-memory")
        suffix = _SUFFIXES[self.name]
        if self.path.suffix != suffix or network not in _NETWORKS.values():
            raise ModelFileError(
                f"{self.path} is no folder; it must be one, or student{suffix} or bridge{suffix}",
                path=self.path,
            )
        return self.path.parent, (network,)

    def _load(self, path: Path, threads: int) -> Session:
        if not path.is_file():
            raise ModelFileError(
                f"{path} is missing; both files of a network must be there", path=path
            )
        if path.stat().st_size > _MOST_BYTES:
            raise ModelFileError(f"{path} is over 2 GiB; it must be an export of ours", path=path)
        session = SESSIONS[self.name](path, threads)
        facts = session.facts
        if facts.get("geng.interface") != INTERFACE:
            raise ModelFileError(
                f"{path} is of interface {facts.get('geng.interface', 'none')}; it must be "
                f"{INTERFACE}: export it again",
                path=path,
            )
        if facts.get("geng.part") != path.stem:
            raise ModelFileError(
                f"{path} holds {str(facts.get('geng.part'))[:64]!r}; it must hold what its name says",
                path=path,
            )
        if self.facts and facts.get("geng.fingerprint") != self.fingerprint:
            raise ModelFileError(
                f"{path} is of another model than the files beside it; it must be of the same",
                path=path,
            )
        for name, sizes in session.shapes.items():
            if sizes and isinstance(sizes[0], int) and not 0 < sizes[0] <= _MOST_ROWS:
                raise ModelFileError(
                    f"{path}: input {name[:64]} has {sizes[0]} rows; it must have 1 to {_MOST_ROWS}",
                    path=path,
                )
        self.facts = self.facts or facts  # a step's, which is loaded first
        return session

    @property
    def fingerprint(self) -> str:
        """sha256 of the weights that the export was made of."""
        return str(self.facts.get("geng.fingerprint", ""))

    @property
    def precision(self) -> str:
        """What the export computes in, as it says: ``fp32``, ``int8``, ..."""
        return str(self.facts.get("geng.precision", ""))

    def check(self, fingerprint: str, model: Path) -> None:
        """Refuse to stand in for another model.

        Raises:
            ModelFileError: The export was made of other weights.
        """
        if self.fingerprint != fingerprint:
            raise ModelFileError(
                f"{self.path} was made of the weights {self.fingerprint[:16] or 'of nothing'}; it must "
                f"be {fingerprint[:16]}, those of {model.name}",
                path=self.path,
            )

    def __call__(
        self,
        distilled: bool,
        condition: Floats | None,
        frame: Floats,
        answers: Floats,
    ) -> Callable[[Floats, int, bool], Floats]:
        """What the core asks before the first step of a request: a step for this condition.

        Args:
            distilled: The student, or the bridge.
            condition: Z_x, ``[tokens, width]``; None where only the branch of none is asked.
            frame: Features of the frame.
            answers: Shares of the claims reader's answers; may be empty.

        Raises:
            ModelFileError: The export is without this network.
            ArgumentError: The condition is longer than a fixed shape allows.
        """
        network = _NETWORKS[distilled]
        if distilled not in self._pairs:
            raise ModelFileError(
                f"{self.path} has no {network}{_SUFFIXES[self.name]}; export it, or choose another solver",
                path=self.path,
            )
        return _Request(self.name, self._pairs[distilled], condition, frame, answers).step


class _Request:
    """One condition bound to a network."""

    def __init__(
        self, name: str, pair: _Pair, condition: Floats | None, frame: Floats, answers: Floats
    ) -> None:
        self._name, self._session = name, pair.step
        shapes = pair.memory.shapes
        rows, width = shapes["condition"]
        words = 1 if condition is None else len(condition)
        if isinstance(rows, int) and words > rows:
            raise ArgumentError(
                f"condition is {words} tokens; it must be at most {rows}, which this export takes"
            )
        given = np.zeros((rows if isinstance(rows, int) else words, int(width)), np.float32)
        if condition is not None:
            given[:words] = condition
        feed: dict[str, Any] = {"condition": given, "frame": frame}
        if "answers" in shapes:
            feed["answers"] = answers
        keys, values, null_keys, null_values = self._ask(pair.memory, feed)
        mask = np.zeros(keys.shape[4], np.float32)
        mask[words : len(given)] = MASKED
        fixed = isinstance(self._session.shapes["mask"][0], int)
        missing = len(mask) - 1 if fixed else 0
        nothing = np.zeros(1 + missing, np.float32)
        nothing[1:] = MASKED
        self._memories = {
            True: {"keys": keys, "values": values, "mask": mask},
            False: {
                "keys": np.pad(null_keys, [(0, 0)] * 4 + [(0, missing)]),
                "values": np.pad(null_values, [(0, 0)] * 3 + [(0, missing), (0, 0)]),
                "mask": nothing,
            },
        }
        batch = self._session.shapes["x"][0]
        self._batch = batch if isinstance(batch, int) else None

    def _ask(self, session: Session, feed: Mapping[str, Any]) -> list[Any]:
        try:
            return session.run(feed)
        except Exception as error:  # a runtime's errors have no common class
            words = str(error).replace("\n", " ")[:300]
            raise BackendError(
                f"{self._name} failed ({words}); it must run this export, and nothing was written"
            ) from error

    def step(self, x: Floats, t: int, conditional: bool) -> Floats:
        """v of ``x`` ``[n, tokens, width]``."""
        feed = {"t": np.array([t], np.float32), **self._memories[conditional]}
        if self._batch is None:
            (v,) = self._ask(self._session, {"x": x, **feed})
            return np.ascontiguousarray(v, dtype=np.float32)
        v = np.empty_like(x)
        for first in range(0, len(x), self._batch):
            rows = x[first : first + self._batch]
            filled = np.zeros((self._batch, *x.shape[1:]), np.float32)
            filled[: len(rows)] = rows
            (some,) = self._ask(self._session, {"x": filled, **feed})
            v[first : first + len(rows)] = some[: len(rows)]
        return v
