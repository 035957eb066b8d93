"""Make what is released, here, for machines that are not: wheels, the model's wheel, the sdist.

    python tools/wheels/make.py                             # all of it, for each Python that is here
    python tools/wheels/make.py aarch64 --pythons 3.11 --twice --to out/wheels

The sdist comes first and every wheel is made of it, as a package index would. ``--twice`` makes each
wheel a second time, from nothing, and compares bytes. Needs requirements/wheels.txt.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import cross
import finish
from cross import ROOT, call, environment_of, run_backend
from repack import rezip
from targets import PYTHONS, TARGETS, BuildError, Interpreter, interpreters

LIMIT = 35_000_000  # bytes of a wheel; the model's own may be larger
WORK = ROOT / "build" / "wheels"


def epoch_of_commit() -> int:
    """When the checked-out commit was made; 2026-01-01 where this is no checkout."""
    done = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else 1767225600


def make_sdist(out: Path, work: Path, epoch: int) -> Path:
    """Packs what git knows, as it lies in the working tree."""
    tree = work / "tree"
    for old in (tree, out):
        shutil.rmtree(old, ignore_errors=True)
    for name in call(["git", "ls-files", "-z"], cwd=ROOT).split("\0"):
        if name and not name.endswith(".gguf") and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    return run_backend("build_sdist", tree, out, {}, environment_of(epoch))


def unpack(sdist: Path, into: Path) -> Path:
    """The folder that an sdist holds, unpacked."""
    shutil.rmtree(into, ignore_errors=True)
    with tarfile.open(sdist) as packed:
        packed.extractall(into, filter="data")
    (folder,) = into.iterdir()
    return folder


def forget_objects(source: Path, passes: list[str]) -> None:
    """Removes what was compiled of other sources; where there is a second pass, of these too.

    Files of an sdist are all of one date, by which no build program could tell them from older ones.
    """
    compiled = [source / name for name in ("CMakeLists.txt", "cmake", "cpp", "firmware_profiles")]
    settings = [cross.HERE / name for name in ("zig.cmake", "module.map", "pyconfig.h")]
    digest = hashlib.sha256()
    for top in [*compiled, *settings]:
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    mark = WORK / "first" / "sources.sha256"
    told = digest.hexdigest()
    if len(passes) > 1 or not mark.is_file() or mark.read_text(encoding="ascii") != told:
        for name in ("first", "second"):
            shutil.rmtree(WORK / name, ignore_errors=True)
        mark.parent.mkdir(parents=True)
        mark.write_text(told, encoding="ascii")


def make_wheel(name: str, python: Interpreter, source: Path, work: Path, epoch: int) -> Path:
    """One finished, checked wheel."""
    target = TARGETS[name]
    built = cross.build(target, python, source, work / name, WORK, epoch)
    wheel = finish.audit(built, target, work / f"{name}-{python.tag}", epoch)
    rezip(wheel, epoch)
    finish.check(wheel, target, work / f"{name}-{python.tag}" / "checked")
    return wheel


def make_model(work: Path, epoch: int) -> Path:
    """The weights of this checkout as a wheel for every platform."""
    source = ROOT / "packaging" / "model"
    settings = {"build-dir": str(work / "model"), "wheel.reproducible": "true"}
    wheel = run_backend(
        "build_wheel", source, work / "model-wheel", settings, environment_of(epoch)
    )
    rezip(wheel, epoch)
    return wheel


def keep(made: Path, out: Path, since: float, note: str = "") -> None:
    """Moves a file to where it was asked for and says so."""
    out.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    shutil.copyfile(made, out / (made.name + ".tmp"))
    (out / (made.name + ".tmp")).rename(out / made.name)
    size = made.stat().st_size
    print(f"{size:>10} bytes  {digest[:16]}  {time.monotonic() - since:5.0f} s  {made.name}{note}")
    if size > LIMIT and not made.name.startswith("geng_edge_model-"):
        raise BuildError(f"{made.name} has {size} bytes; it must have at most {LIMIT}")


def same(first: Path, second: Path) -> None:
    """Raises BuildError unless two files have the same name and bytes."""
    if first.name != second.name or first.read_bytes() != second.read_bytes():
        raise BuildError(
            f"{first.name} came out otherwise the second time; it must be the same bytes"
        )


def make_all(wanted: list[str], pythons: list[str], out: Path, twice: bool) -> None:
    """Makes each of ``wanted`` and puts it into ``out``."""
    epoch = epoch_of_commit()
    passes = ["first", "second"] if twice else ["first"]
    note = "  twice the same" if twice else ""

    def make(build: object) -> None:
        since = time.monotonic()
        made = [build(WORK / name) for name in passes]  # type: ignore[operator]
        for other in made[1:]:
            same(made[0], other)
        keep(made[0], out, since, note)

    source = unpack(make_sdist(WORK / "sdist", WORK, epoch), WORK / "source")
    forget_objects(source, passes)
    if "sdist" in wanted:
        make(lambda work: make_sdist(work / "sdist", work, epoch))
    if "model" in wanted:
        make(lambda work: make_model(work, epoch))
    machines = [name for name in wanted if name in TARGETS]
    if not machines:
        return
    here = interpreters(pythons)
    for version in sorted(set(pythons) - set(here)):
        print(
            f"Python {version} is not here with its headers; its wheels are left out",
            file=sys.stderr,
        )
    for name in machines:
        for version in pythons:
            if version in here:
                python = here[version]
                make(lambda work, n=name, p=python: make_wheel(n, p, source, work, epoch))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    everything = [*TARGETS, "model", "sdist"]
    parser.add_argument("what", nargs="*", metavar="WHAT", help=", ".join(everything))
    parser.add_argument("--to", type=Path, default=ROOT / "out" / "wheels", metavar="DIR")
    parser.add_argument("--pythons", default=",".join(PYTHONS), metavar="3.11,...")
    parser.add_argument("--twice", action="store_true", help="make each twice and compare bytes")
    arguments = parser.parse_args()
    if strange := [name for name in arguments.what if name not in everything]:
        parser.error(f"{strange[0]} is unknown; it must be one of {', '.join(everything)}")
    try:
        make_all(arguments.what or everything, arguments.pythons.split(","), arguments.to.resolve(),
                 arguments.twice)  # fmt: skip
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
