"""What puts the program onto other machines: the install script, the containers, the firmware page."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from geng_edge import generator
from geng_edge.errors import ModelFileError

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "packaging" / "gateway" / "install.sh"
DOCKERFILES = sorted((ROOT / "packaging" / "docker").glob("*.Dockerfile"))

#: Stands in for Python where the script looks for one: makes an environment, keeps what pip is told.
PYTHON = """#!/bin/sh
echo "$0 $*" >>"$CALLS"
case "$*" in
  *"-m venv"*) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python" ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that the script takes for a machine, with a Python that keeps a list of its calls."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python3").write_text(PYTHON)
    (tools / "python3").chmod(0o755)
    return tmp_path


def install(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{machine / 'tools'}:{os.environ['PATH']}",
        "DESTDIR": str(machine / "root"),
        "CALLS": str(machine / "calls"),
    }
    return subprocess.run(
        ["sh", str(INSTALL), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def files(machine: Path) -> set[str]:
    root = machine / "root"
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


ENVIRONMENT = "etc/geng-edge/environment"
UNIT = "etc/systemd/system/geng-edge.service"


def test_install_puts_program_settings_and_unit_in_place(machine: Path) -> None:
    done = install(machine)
    assert done.returncode == 0, done.stderr
    assert files(machine) == {"opt/geng-edge/bin/python", ENVIRONMENT, UNIT}
    calls = (machine / "calls").read_text().splitlines()
    assert sum("-m venv" in call for call in calls) == 1
    (pip,) = [call for call in calls if "pip install" in call]
    assert pip.endswith("geng-edge[text,mqtt,cbor]")
    unit = (machine / "root" / UNIT).read_text()
    assert unit == (INSTALL.parent / "geng-edge.service").read_text()
    assert "ExecStart=/opt/geng-edge/bin/geng-edge serve" in unit
    assert "/etc/geng-edge/environment" in unit


def test_install_again_keeps_settings_and_the_environment(machine: Path) -> None:
    assert install(machine).returncode == 0
    settings = machine / "root" / ENVIRONMENT
    settings.write_text("GENG_BROKER=mqtt://here\n")
    assert install(machine).returncode == 0
    assert settings.read_text() == "GENG_BROKER=mqtt://here\n"
    calls = (machine / "calls").read_text()
    assert calls.count("-m venv") == 1
    assert calls.count("pip install") == 2


def test_install_from_a_folder_asks_no_index(machine: Path) -> None:
    wheels = machine / "wheels"
    wheels.mkdir()
    assert install(machine, "--from", str(wheels)).returncode == 0
    assert f"--no-index --find-links {wheels}" in (machine / "calls").read_text()


def test_uninstall_keeps_what_is_the_users_and_purge_does_not(machine: Path) -> None:
    assert install(machine).returncode == 0
    ledger = machine / "root/var/lib/geng-edge/outbox.db"
    ledger.parent.mkdir(parents=True)
    ledger.touch()
    assert install(machine, "--uninstall").returncode == 0
    assert files(machine) == {ENVIRONMENT, "var/lib/geng-edge/outbox.db"}
    assert install(machine, "--uninstall", "--purge").returncode == 0
    assert files(machine) == set()
    assert install(machine, "--uninstall").returncode == 0  # nothing there is no fault


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--form"], "--form is unknown; it must be --from, --uninstall or --purge"),
        (["--from"], "--from names no folder; it must name one"),
        (["--from", "/nowhere"], "/nowhere is no folder; it must hold wheels"),
        (["--purge"], "--purge is given without --uninstall; it must be given with it"),
    ],
)
def test_install_refuses_before_it_writes(
    machine: Path, arguments: list[str], sentence: str
) -> None:
    done = install(machine, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not (machine / "root").exists()


@pytest.mark.parametrize(
    "script", [INSTALL, ROOT / "tools/wheels/try_sdist.sh"], ids=lambda p: p.name
)
def test_a_script_passes_shellcheck(script: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def instructions(path: Path) -> list[tuple[str, str]]:
    """A Dockerfile's instructions: name and the rest of the line, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines if line.strip()]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_a_container_keeps_our_rules(path: Path) -> None:
    said = instructions(path)
    names = [name for name, _ in said]
    last = dict(said)  # the final stage's
    known = {"FROM", "COPY", "RUN", "ENV", "ARG", "USER", "WORKDIR", "VOLUME", "HEALTHCHECK",
             "STOPSIGNAL", "ENTRYPOINT"}  # fmt: skip
    assert set(names) <= known
    for image in (rest for name, rest in said if name == "FROM"):
        assert re.match(r"python:3\.\d+-slim-\w+( AS \w+)?$", image), f"{image} is not pinned"
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last["USER"]), "runs as root"
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")
    assert last["ENTRYPOINT"].startswith("["), "a shell would take the signals"
    assert {"HEALTHCHECK", "STOPSIGNAL"} <= set(names)
    for rest in (rest for name, rest in said if name == "RUN"):
        assert rest.count("pip install") == rest.count("--no-cache-dir")
        assert not re.search(r"\b(sudo|curl|wget|apt-get upgrade|chmod 777)\b", rest)
    for rest in (rest for name, rest in said if name in {"ENV", "ARG"}):
        assert not re.search(r"PASSWORD|SECRET|TOKEN|KEY", rest)
    for rest in (rest for name, rest in said if name == "COPY" and "--from" not in rest):
        source = rest.split()[0]
        assert source == "out/wheels" or (ROOT / source).exists()


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_a_container_starts_a_command_that_there_is(path: Path) -> None:
    entry = dict(instructions(path))["ENTRYPOINT"]
    program, command, *options = re.findall(r'"([^"]+)"', entry)
    module = {"geng-edge": "geng_edge", "geng-cog": "geng_cog"}[program]
    said = subprocess.run(
        [sys.executable, "-m", module, command, "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for option in options:
        if option.startswith("--"):
            assert option in said


def test_no_model_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENG_MODEL", raising=False)
    monkeypatch.setattr(generator, "_model_folders", lambda: iter([tmp_path]))
    with pytest.raises(
        ModelFileError, match=r"^no model is installed; pip install geng-edge-model, or"
    ):
        generator.find_model()


def test_a_model_is_found_in_a_package_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENG_MODEL", raising=False)
    apart = tmp_path / "geng_edge_model" / "edge.gguf"
    apart.parent.mkdir()
    apart.touch()
    monkeypatch.syspath_prepend(tmp_path)
    folders = list(generator._model_folders())
    assert folders[0] == Path(generator.__file__).parent / "models"
    assert folders[1:] == [apart.parent]


def test_the_firmware_page_names_options_and_files_that_there_are() -> None:
    page = (ROOT / "docs" / "firmware.md").read_text()
    cmake = "".join(
        p.read_text() for p in [ROOT / "CMakeLists.txt", *ROOT.glob("cpp/*/CMakeLists.txt")]
    )
    for option in set(re.findall(r"-D(GENG_\w+)=", page)):
        assert f"option({option}" in cmake
    for name in re.findall(r"\]\(\.\./([^)#]+)\)", page) + re.findall(r"cmake/\w+\.cmake", page):
        assert (ROOT / name).is_file(), name
    digest = hashlib.md5((ROOT / "LICENSE").read_bytes(), usedforsecurity=False).hexdigest()
    assert f"md5={digest}" in page
    version = re.search(
        r"VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text().split("project")[1]
    )
    assert version is not None
    assert f"geng-edge_{version.group(1)}.bb" in page
    assert f"GENG_VERSION = {version.group(1)}" in page
