"""The command line: how a command ends that is broken off, and that nothing half done is left."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from geng_edge.cli import doctor
from support.commands import run, sample, spawn


@pytest.mark.parametrize("command", ["sample", "json", "inspect", "doctor", "help"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_one_sentence(tiny: Path, latent: Path, command: str) -> None:
    arguments = {
        "sample": ["sample", "--model", str(tiny), "--cond", str(latent), "-n", "1"],
        "json": ["sample", "--model", str(tiny), "--cond", str(latent), "-n", "1", "--json"],
        "inspect": ["inspect", str(tiny)],
        "doctor": ["doctor", "--model", str(tiny)],
        "help": ["sample", "--help"],
    }
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = spawn(arguments[command], stdout=full)
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith("geng-edge: stdout: No space left on device;")


def test_a_reader_that_stops_early_is_no_error(tiny: Path, latent: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as closed:
        command = ["sample", "--model", str(tiny), "--cond", str(latent), "-n", "9"]
        done = spawn(command, stdout=closed)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_an_interrupt_ends_generation_between_two_steps(
    tiny: Path, latent: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    # Long enough to be interrupted for certain: minutes, if it ran to its end.
    command = ["sample", "--model", tiny, "--cond", latent, "-n", 20_000, "--steps", 500,
               "--solver", "ddpm", "--out", folder / "s.npy"]  # fmt: skip
    # A shell's background job ignores SIGINT, and so would its children.
    code = (
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from geng_edge.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, command)], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("sampling 20000 series")
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err == "geng-edge: interrupted; no file is half-written\n"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_chain_that_is_terminated_leaves_no_file(
    tiny: Path, latent: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    command = ["sample", "--model", tiny, "--cond", latent, "-n", 4, "--length", 2**20,
               "--out", folder / "big.csv"]  # fmt: skip
    # The other one is ignored, as nohup does it, and must stay so.
    code = (
        "import signal, sys\n"
        "for s in (signal.SIGTERM, signal.SIGHUP):\n"
        f"    signal.signal(s, signal.SIG_DFL if s == {int(number)} else signal.SIG_IGN)\n"
        "from geng_edge.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, command)], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            deadline = time.monotonic() + 60.0
            while not any(p.stat().st_size for p in folder.iterdir()):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal({signal.SIGTERM, signal.SIGHUP}.difference({number}).pop())
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 128 + number, err
    assert list(folder.iterdir()) == []


def test_signals_are_handled_as_before_when_a_command_has_ended(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    during = []
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    examine = doctor.examine

    def watched(*of: Any) -> Any:
        during.extend(signal.getsignal(number) for number in numbers)
        return examine(*of)

    monkeypatch.setattr(doctor, "examine", watched)
    try:
        run("doctor", "--model", tiny)
        assert signal.SIG_DFL not in during
        assert [signal.getsignal(number) for number in numbers] == [signal.SIG_DFL] * 2
        with ThreadPoolExecutor(1) as pool:  # where no handler can be set
            during.clear()
            pool.submit(run, "doctor", "--model", tiny).result()
        assert during == [signal.SIG_DFL] * 2
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_a_fault_of_ours_shows_its_traceback_and_ends_with_70(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(doctor, "examine", broken)
    assert run("doctor", "--model", tiny) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["npy", "csv", "json"])
def test_a_full_disk_leaves_nothing_half_written(
    tiny: Path, latent: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = tmp_path / "out"
    folder.mkdir()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert sample(tiny, "--cond", latent, "-n", 1, "--out", folder / f"s.{suffix}") == 4
    _, err = capsys.readouterr()
    assert "No space left on device; nothing was written" in err
    assert list(folder.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file(
    tiny: Path, latent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out" / "s.csv"
    out.parent.mkdir()
    out.write_text("old")

    def stop(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    assert sample(tiny, "--cond", latent, "-n", 1, "--out", out) == 130
    assert [p.name for p in out.parent.iterdir()] == ["s.csv"]
    assert out.read_text() == "old"
