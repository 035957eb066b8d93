"""How the gateway is started: the settings of ``serve``, and the unit file."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from geng_edge.cli.main import build_parser, main
from support.gateways import MODEL


def test_serve_refuses_settings_that_do_not_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outbox = str(tmp_path / "o.db")
    common = ["serve", "--model", str(MODEL), "--outbox", outbox]
    nowhere = ["--http", "192.0.2.1:1"]
    for options, sentence in [
        (["--http", "off"], "there must be one of them"),
        (["--http", "nowhere"], "it must be HOST:PORT or off"),
        (nowhere, "it must be a free address"),
        (["--gateway", "A B"], "it must be 1 to 63 lower-case letters"),
        (["--queue", "0"], "queue is 0; it must be 1 to"),
        (
            [*nowhere, "--outbox-mb", "8"],
            "outbox is 8 MB; it must be at least 12 MB for a request of 262144",
        ),
        (
            [*nowhere, "--most-values", "2000000"],
            "outbox is 64 MB; it must be at least 85 MB for a request",
        ),
        (["--replay", "room=x", "--http", "127.0.0.1:0"], "without a broker"),
        (["--broker", "http://x"], "it must be mqtt://"),
    ]:
        assert main([*common, *options]) == 2
        assert sentence in capsys.readouterr().err


def test_the_unit_file_starts_the_command_as_it_is(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "packaging" / "gateway" / "geng-edge.service"
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(path)
    service = unit["Service"]
    assert (service["Type"], int(service["WatchdogSec"])) == ("notify", 60)
    program, *command = service["ExecStart"].split()
    assert Path(program).name == "geng-edge"
    arguments = build_parser().parse_args(command)
    assert arguments.command == "serve"
    if shutil.which("systemd-analyze") is not None:
        here = tmp_path / path.name
        here.write_text(path.read_text().replace(program, "/bin/true"))
        done = subprocess.run(
            ["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False
        )
        assert path.name not in done.stderr, done.stderr
