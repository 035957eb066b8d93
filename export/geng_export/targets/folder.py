"""A folder of exports: every network of a model, for each target and precision.

OUT/edge.gguf                     the model itself
OUT/onnx/{fp32,int8,int8-static}  student.onnx, student-memory.onnx, bridge..., text, encoder
OUT/litert/{fp32,int8,int8-full}  the same as .tflite
OUT/export.json                   files, bytes, sha256, shapes, and why there is no decoder
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from geng_export.errors import ExportError
from geng_export.targets import litert, onnx
from geng_export.targets.networks import even_channels
from geng_export.targets.parts import NO_DECODER, Part, Variant, facts_of, parts_of
from geng_export.targets.source import Source

TARGETS = ("gguf", "onnx", "litert")
PRECISIONS = {
    "onnx": ("fp32", "int8", "int8-static"),
    "litert": ("fp32", "int8", "int8-full"),
}
SUFFIXES = {"onnx": ".onnx", "litert": ".tflite"}
#: Word pieces of the longest condition, where shapes are fixed: as many as the model takes.
WORDS = 128
NETWORKS = ("student", "bridge", "text", "encoder")


def export(
    path: Path,
    targets: Sequence[str],
    out: Path,
    *,
    words: int = WORDS,
    precisions: Sequence[str] = (),
    networks: Sequence[str] = NETWORKS,
    say: Callable[[str], object] = print,
) -> dict[str, Any]:
    """Write the exports of a model file.

    Args:
        path: The GGUF file.
        targets: Of :data:`TARGETS`.
        out: The folder; files in it are replaced one by one, each as a whole.
        words: Word pieces of the longest condition in LiteRT files; shorter ones are padded and
            masked. ONNX files take any number.
        precisions: Of :data:`PRECISIONS`; all by default.
        networks: Of :data:`NETWORKS`; all by default.
        say: Takes a line for each file.

    Returns:
        What ``export.json`` holds.

    Raises:
        ExportError: A name or ``words`` is none of these, a target has none of the precisions, the file
            is no model of ours, the folder holds exports of another one, or a converter is not installed.
    """
    known = {name for names in PRECISIONS.values() for name in names}
    _check("to", targets, TARGETS)
    _check("precision", precisions, sorted(known))
    _check("network", networks, NETWORKS)
    for target in targets:
        if target in PRECISIONS and precisions and not set(precisions) & set(PRECISIONS[target]):
            raise ExportError(
                f"precision is {', '.join(precisions)} for {target}; one must be of "
                f"{', '.join(PRECISIONS[target])}"
            )
    source = Source.load(path)
    before = _written_before(out, source.fingerprint)
    parts_of(source, Variant(False, False, words))  # refused before anything is written
    out.mkdir(parents=True, exist_ok=True)
    files: list[dict[str, Any]] = []
    for target in targets:
        if target == "gguf":
            kept = _copied(path, out)
            files.append(_described(kept, out, {"target": target}))
            say(f"{kept}: {kept.stat().st_size / 1e6:.1f} MB")
            continue
        for file, facts in _written(source, target, out, words, precisions, networks):
            files.append(_described(file, out, {"target": target, **facts}))
            say(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
    new = {entry["file"] for entry in files}
    files += [entry for entry in before if entry["file"] not in new]
    manifest = {
        "model": path.name,
        "fingerprint": source.fingerprint,
        "sha256": source.sha256,
        "opset": onnx.OPSET,
        "files": files,
        "decoder": NO_DECODER,
    }
    beside = out / "export.json.tmp"
    beside.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    beside.replace(out / "export.json")
    return manifest


def _written_before(out: Path, fingerprint: str) -> list[dict[str, Any]]:
    """Entries of an earlier export of the same model, whose files are still there."""
    try:
        found = json.loads((out / "export.json").read_text(encoding="utf-8"))
        theirs, files = str(found["fingerprint"]), list(found["files"])
        kept = [entry for entry in files if (out / str(entry["file"])).is_file()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(
            f"{out / 'export.json'} is no manifest; {out} must be a new folder"
        ) from error
    if theirs != fingerprint:
        raise ExportError(
            f"{out} holds exports of another model ({theirs[:12]}); it must be a new folder, or of "
            f"this one ({fingerprint[:12]})"
        )
    return kept


def _check(name: str, chosen: Sequence[str], known: Sequence[str]) -> None:
    for each in chosen:
        if each not in known:
            raise ExportError(f"{name} is {each!r}; it must be of {', '.join(known)}")


def _copied(path: Path, out: Path) -> Path:
    to = out / path.name
    if to.resolve() != path.resolve():
        beside = to.with_suffix(".tmp")
        shutil.copyfile(path, beside)
        beside.replace(to)
    return to


def _described(file: Path, out: Path, facts: dict[str, Any]) -> dict[str, Any]:
    content = file.read_bytes()
    return {
        "file": file.relative_to(out).as_posix(),
        "bytes": len(content),
        "file_sha256": hashlib.sha256(content).hexdigest(),
        **facts,
    }


def variant_of(target: str, precision: str, words: int) -> Variant:
    """How the networks are prepared.

    ONNX Runtime has one scale for a whole tensor, LiteRT's dynamic kernels one for each row.
    """
    quantised = precision != "fp32"
    if target == "onnx":
        return Variant(quantised, quantised, words, samples=2)  # of one, an axis would close
    return Variant(quantised, precision == "int8-full", words)


def _written(
    source: Source,
    target: str,
    out: Path,
    words: int,
    precisions: Sequence[str],
    networks: Sequence[str],
) -> Iterator[tuple[Path, dict[str, Any]]]:
    wanted = [name for name in PRECISIONS[target] if not precisions or name in precisions]
    groups: dict[Variant, list[str]] = {}  # what is traced alike is traced once
    for precision in wanted:
        groups.setdefault(variant_of(target, precision, words), []).append(precision)
    for variant, alike in groups.items():
        for part in parts_of(source, variant):
            if part.name.removesuffix("-memory") not in networks:
                continue
            if "int8-full" in alike and not _once(part):
                rows = ([torch.from_numpy(f[k]) for k in part.inputs] for f in part.examples())
                even_channels(part.module, rows)
            shapes = {name: list(value.shape) for name, value in part.inputs.items()}
            for precision, file in _write(source, part, target, alike, out):
                yield file, {"precision": precision, "part": part.name, "traced": shapes}


def _write(
    source: Source, part: Part, target: str, precisions: Sequence[str], out: Path
) -> Iterator[tuple[str, Path]]:
    name = f"{part.name}{SUFFIXES[target]}"
    # Beside the files, so that the last move is a rename.
    with TemporaryDirectory(dir=out) as work:
        exact, made = Path(work) / f"exact{SUFFIXES[target]}", Path(work) / name
        _exact(part, target, exact, facts_of(source, "fp32"))
        for precision in precisions:
            facts = facts_of(source, precision)
            if precision == "fp32":
                exact.replace(made)
            elif target == "onnx" and precision == "int8":
                onnx.quantize_dynamic(exact, made, part, facts=facts)
            elif target == "onnx":
                onnx.quantize_static(exact, made, part, facts=facts)
            elif precision == "int8" or _once(part):
                litert.quantize_dynamic(exact, made, part, facts)
            else:
                litert.quantize_full(exact, made, part, facts)
            file = out / target / precision / name
            file.parent.mkdir(parents=True, exist_ok=True)
            made.replace(file)
            yield precision, file


def _once(part: Part) -> bool:
    """Whether a part runs once a request: its ranges are always taken as they come.

    With calibrated ranges a memory was wrong by more than its size, for the little that it saves.
    """
    return part.name.endswith("-memory")


def _exact(part: Part, target: str, file: Path, facts: dict[str, str]) -> None:
    if target == "onnx":
        onnx.write(part, file, facts)
    else:
        litert.write(part, file, facts)
