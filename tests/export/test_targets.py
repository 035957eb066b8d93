"""The networks as files for other runtimes: the answers of torch, and a sentence for what cannot be."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from geng_edge import Condition, Generator
from geng_edge.backends import Backend
from geng_edge.cli.main import main as geng_edge
from geng_edge.errors import ArgumentError, ModelFileError
from geng_export import parity_of_exports
from geng_export.__main__ import main
from geng_export.errors import ExportError
from geng_export.models.bridge import cosine_alpha_bar
from geng_export.targets.folder import PRECISIONS, export
from geng_export.targets.networks import Even, even_channels
from geng_export.targets.parts import Variant, parts_of
from geng_export.targets.source import Source

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
TINY, DISTILLED = GOLDEN / "tiny.gguf", GOLDEN / "tiny_distilled.gguf"
PARTS = ("student", "student-memory", "bridge", "bridge-memory", "text", "encoder")
#: Of a call: |export - torch| / |torch|. Random weights forgive less than trained ones.
LIMITS = {"fp32": 1e-4, "int8": 0.05, "int8-static": 0.05, "int8-full": 0.1}
WORDS = 24

needs_onnx = pytest.mark.skipif(
    not all(importlib.util.find_spec(m) for m in ("onnx", "onnxscript", "onnxruntime")),
    reason="onnx, onnxscript or onnxruntime not installed",
)
needs_litert = pytest.mark.skipif(
    not all(importlib.util.find_spec(m) for m in ("litert_torch", "ai_edge_litert")),
    reason="litert-torch or ai-edge-litert not installed",
)
quiet = pytest.mark.filterwarnings("ignore")  # the converters' own
CASES = [
    pytest.param(target, precision, marks=mark)
    for target, mark in (("onnx", needs_onnx), ("litert", needs_litert))
    for precision in PRECISIONS[target]
]


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All exports of a small model that the installed converters can write."""
    import warnings

    folder = tmp_path_factory.mktemp("exports")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        targets = ["gguf"]
        if importlib.util.find_spec("onnxscript"):
            targets.append("onnx")
        if importlib.util.find_spec("litert_torch"):
            targets.append("litert")
        export(DISTILLED, targets, folder, words=WORDS, say=lambda _: None)
    return folder


@pytest.fixture(scope="module")
def source() -> Source:
    return Source.load(DISTILLED)


def file_of(exports: Path, target: str, precision: str, part: str) -> Path:
    return exports / target / precision / f"{part}{'.onnx' if target == 'onnx' else '.tflite'}"


def facts_of(file: Path) -> dict[str, str]:
    if file.suffix == ".tflite":
        with zipfile.ZipFile(file) as archive:
            found: dict[str, str] = json.loads(archive.read("geng.json"))
            return found
    import onnx

    return {entry.key: entry.value for entry in onnx.load(str(file)).metadata_props}


def condition(generator: Generator) -> Condition:
    return Condition.from_text("from -5 to 5", generator=generator)


@quiet
@pytest.mark.parametrize(("target", "precision"), CASES)
def test_every_file_gives_the_answers_of_torch(
    target: str,
    precision: str,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The small model spells letter by letter, so texts must be short.
    monkeypatch.setattr(parity_of_exports, "TEXTS", ("from -5 to 5", "no trend", "mean 21"))
    chosen = tmp_path / "chosen"
    (chosen / target).mkdir(parents=True)
    (chosen / target / precision).symlink_to(exports / target / precision)
    found = parity_of_exports.report(chosen, DISTILLED, lambda _: None)
    [row] = found["rows"]
    assert (row["target"], row["precision"]) == (target, precision)
    assert set(row["calls"]) == set(PARTS)
    for part, error in row["calls"].items():
        assert error["worst"] <= LIMITS[precision], f"{part}: {error}"
    assert len(row["trajectories"]) == 2
    for way, distance in row["trajectories"].items():
        assert distance["latent_from_core_fp32"] <= 3 * LIMITS[precision], way
        if "latent_from_torch" in distance:
            assert distance["latent_from_torch"] <= 10 * LIMITS[precision], way
    assert f"| {target} | {precision} |" in parity_of_exports.to_markdown(found)


@pytest.mark.parametrize(("target", "precision"), CASES)
def test_every_file_says_what_it_is(
    target: str, precision: str, exports: Path, source: Source
) -> None:
    for part in PARTS:
        file = file_of(exports, target, precision, part)
        facts = facts_of(file)
        assert facts["geng.part"] == part
        assert facts["geng.licence"] == "Apache-2.0"
        assert facts["geng.fingerprint"] == source.fingerprint
        assert facts["geng.precision"] == precision
        assert facts["geng.interface"] == "1"
        assert json.loads(facts["geng.inputs"])
        assert json.loads(facts["geng.outputs"])
        if part in ("student", "bridge"):
            np.testing.assert_allclose(
                json.loads(facts["geng.alpha_bar"]), cosine_alpha_bar().numpy(), rtol=1e-6
            )
            assert json.loads(facts["geng.latent"]) == list(source.bundle.decoder.mean.shape)
            assert "no network" in facts["geng.decoder"]


@needs_onnx
def test_onnx_states_its_opset_and_keeps_axes_open(exports: Path) -> None:
    import onnx

    model = onnx.load(str(file_of(exports, "onnx", "int8", "student")))
    assert next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")) == 20
    assert facts_of(file_of(exports, "onnx", "int8", "student"))["geng.opset"] == "20"
    shapes = {
        i.name: [d.dim_param for d in i.type.tensor_type.shape.dim] for i in model.graph.input
    }
    assert shapes["x"][0]
    assert shapes["mask"][0]
    output = model.graph.output[0].type.tensor_type.shape.dim
    assert output[0].dim_param == shapes["x"][0]


@needs_onnx
def test_int8_is_int8(exports: Path) -> None:
    import onnx

    for precision in ("int8", "int8-static"):
        graph = onnx.load(str(file_of(exports, "onnx", precision, "student"))).graph
        small = [i for i in graph.initializer if i.data_type == onnx.TensorProto.INT8 and i.dims]
        assert len([i for i in small if len(i.dims) == 2]) >= 6, precision
    sizes = [
        file_of(exports, "onnx", p, "student").stat().st_size
        for p in ("fp32", "int8", "int8-static")
    ]
    assert sizes[1] < 0.7 * sizes[0]
    assert sizes[2] < 0.8 * sizes[0]


def test_manifest_lists_every_file(exports: Path) -> None:
    import hashlib

    manifest = json.loads((exports / "export.json").read_text("utf-8"))
    listed = {entry["file"]: entry for entry in manifest["files"]}
    there = {
        path.relative_to(exports).as_posix()
        for path in exports.rglob("*")
        if path.is_file() and path.name != "export.json"
    }
    assert set(listed) == there  # and nothing half-written beside them
    for name, entry in listed.items():
        assert hashlib.sha256((exports / name).read_bytes()).hexdigest() == entry["file_sha256"]
    assert "no network" in manifest["decoder"]


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("onnxruntime", marks=needs_onnx),
        pytest.param("litert", marks=needs_litert),
    ],
)
def test_series_are_those_of_the_core(backend: str, exports: Path) -> None:
    target = "onnx" if backend == "onnxruntime" else "litert"
    native = Generator.load(DISTILLED, "fp32", 1)
    asked = condition(native)
    for precision in PRECISIONS[target]:
        other = Backend(backend, exports / target / precision, 1)
        assert other.precision == precision
        generator = Generator.load(DISTILLED, "fp32", 1, backend=other)
        for more in ({}, {"solver": "dpmpp_2m", "guidance": 1.5, "steps": 6}):
            settings: dict[str, Any] = {"seed": 9, **more}
            wanted = native.generate(asked, 35, **settings).values  # more than one chunk
            got = generator.generate(asked, 35, **settings).values
            off = np.abs(got - wanted).mean() / np.ptp(wanted)
            assert off <= (1e-4 if precision == "fp32" else 0.05), (precision, more)
        if precision in ("fp32", "int8-static", "int8-full"):  # dynamic int8 of ONNX: by the batch
            alone = generator.generate(asked, 1, seed=11).values[0]
            together = generator.generate(asked, 4, seed=9).values[2]
            np.testing.assert_allclose(alone, together, atol=1e-3 * np.ptp(alone))


@needs_onnx
def test_export_of_another_model_is_refused(exports: Path) -> None:
    backend = Backend("onnxruntime", exports / "onnx" / "fp32", 1)
    with pytest.raises(ModelFileError, match=r"was made of the weights .*those of tiny\.gguf"):
        Generator.load(TINY, backend=backend)


@needs_onnx
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: (f / "student-memory.onnx").unlink(), "both files of a network must be there"),
        (lambda f: (f / "student.onnx").write_bytes(b"no graph"), "it must be an ONNX file"),
        (lambda f: (f / "student.onnx").replace(f / "bridge.onnx"), "must hold what its name says"),
        (lambda f: [path.unlink() for path in f.iterdir()], "holds neither student.onnx nor"),
    ],
)
def test_damaged_export_is_refused(
    change: Any, sentence: str, exports: Path, tmp_path: Path
) -> None:
    for part in ("student", "student-memory"):
        name = f"{part}.onnx"
        (tmp_path / name).write_bytes((exports / "onnx" / "fp32" / name).read_bytes())
    change(tmp_path)
    with pytest.raises(ModelFileError, match=sentence):
        Backend("onnxruntime", tmp_path, 1)


@needs_onnx
def test_files_of_two_models_together_are_refused(exports: Path, tmp_path: Path) -> None:
    import onnx

    for part in ("student", "student-memory"):
        name = f"{part}.onnx"
        model = onnx.load(str(exports / "onnx" / "fp32" / name))
        for entry in model.metadata_props:
            if entry.key == "geng.fingerprint" and part == "student":
                entry.value = "0" * 64
        onnx.save(model, str(tmp_path / name))
    with pytest.raises(ModelFileError, match="of another model than the files beside it"):
        Backend("onnxruntime", tmp_path, 1)


@needs_onnx
def test_one_file_names_its_network_alone(exports: Path) -> None:
    backend = Backend("onnxruntime", exports / "onnx" / "fp32" / "bridge.onnx", 1)
    generator = Generator.load(DISTILLED, backend=backend)
    asked = condition(generator)
    assert generator.generate(asked, 1, solver="ddim", guidance=0.0).values.shape == (1, 512)
    with pytest.raises(ModelFileError, match=r"has no student\.onnx; export it"):
        generator.generate(asked, 1)
    with pytest.raises(ModelFileError, match="is no folder; it must be one"):
        Backend("onnxruntime", exports / "onnx" / "fp32" / "text.onnx", 1)


@needs_litert
def test_condition_longer_than_the_fixed_shape_is_refused(exports: Path) -> None:
    generator = Generator.load(DISTILLED, backend=Backend("litert", exports / "litert" / "fp32", 1))
    long = Condition.from_text("a much longer description than that", generator=generator)
    with pytest.raises(
        ArgumentError, match=rf"it must be at most {WORDS}, which this export takes"
    ):
        generator.generate(long, 1)


@needs_onnx
def test_sample_with_a_backend(exports: Path, tmp_path: Path) -> None:
    rows = []
    for more in ([], ["--backend", "onnxruntime", "--backend-model", str(exports / "onnx/fp32")]):
        out = tmp_path / f"{len(more)}.npy"
        command = ["sample", "--model", str(DISTILLED), "--text", "from -5 to 5", "-n", "2"]
        assert geng_edge([*command, "--precision", "fp32", "--out", str(out), *more]) == 0
        rows.append(np.load(out))
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-3 * np.ptp(rows[0]))


@needs_onnx
def test_bench_holds_backends_beside_each_other(
    exports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compared = f"onnxruntime={exports / 'onnx/fp32'},onnxruntime={exports / 'onnx/int8'}"
    command = ["bench", "--model", str(DISTILLED), "--compare", compared, "--threads", "1"]
    assert geng_edge([*command, "--repetitions", "2", "--output", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["variant"] for row in rows] == ["int8", "fp32", "fp32", "int8"]
    assert rows[2]["difference"] < 1e-3
    assert all(row["solver"] == "consistency" for row in rows)
    assert all(len(row["seconds"]["sample"]) == 2 for row in rows)


def test_evened_layers_compute_what_they_did() -> None:
    make = torch.Generator().manual_seed(0)
    layer = torch.nn.Linear(16, 8)
    smooth = torch.rand(16, generator=make) + 0.5
    x = torch.randn(3, 5, 16, generator=make)
    x[1, 2] = 0.0  # a row of nothing has no range
    wanted = layer(x)
    for factors in (None, smooth):
        for rows in (False, True):
            even = Even(layer, factors, rows)
            torch.testing.assert_close(even(x), wanted, rtol=1e-4, atol=1e-5)
            if rows:
                even_channels(even, [(x,)])
                torch.testing.assert_close(even(x), wanted, rtol=1e-4, atol=1e-5)


def test_weights_of_evened_layers_are_the_files_own_integers(source: Source) -> None:
    from gguf import GGUFReader

    stored = {t.name: np.array(t.data) for t in GGUFReader(DISTILLED).tensors}
    student = parts_of(source, Variant(True, True, 4))[0].module
    block: Any = student.get_submodule("bridge.blocks.0")
    for name in ("qkv", "up", "down", "o"):
        q, scale = (stored[f"student.0.{name}.weight{end}"] for end in ("", ".scale"))
        again = getattr(block, name).weight.numpy() / scale[:, None]
        np.testing.assert_allclose(again, q, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to", "onnx", "--out", "x.onnx"], "--out is 'x.onnx'; it must be a folder"),
        (["--to", "tensorrt", "--out", "x"], "to is 'tensorrt'; it must be of gguf, onnx, litert"),
        (["--to", "onnx", "--out", "x", "--words", "0"], "words is 0; it must be 1 to 128"),
        (["--to", "onnx", "--out", "x", "--words", "129"], "words is 129; it must be 1 to 128"),
        (["--to", "onnx", "--out", "x", "--precisions", "int4"], "precision is 'int4'"),
        (["--to", "onnx", "--out", "x", "--precisions", "int8-full"],
         "precision is int8-full for onnx; one must be of fp32, int8, int8-static"),
        (["--to", "onnx", "--out", "x", "--networks", "head"], "network is 'head'; it must be of"),
        (["--to", "gguf", "--out", "again.gguf"], "it must be --run FOLDER"),
    ],
)  # fmt: skip
def test_export_that_cannot_be_is_refused(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", "--model", str(TINY), *arguments]) == 2
    assert sentence in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_later_export_keeps_what_is_there_and_is_of_one_model(tmp_path: Path) -> None:
    made = export(DISTILLED, ["gguf"], tmp_path)
    (tmp_path / "other.onnx").write_bytes(b"network")
    entries = [*made["files"], {"file": "other.onnx"}, {"file": "gone.onnx"}]
    (tmp_path / "export.json").write_text(json.dumps(made | {"files": entries}), "utf-8")
    again = export(DISTILLED, ["gguf"], tmp_path)
    assert [entry["file"] for entry in again["files"]] == [DISTILLED.name, "other.onnx"]
    with pytest.raises(ExportError, match="exports of another model .* it must be a new folder"):
        export(TINY, ["gguf"], tmp_path)
    (tmp_path / "export.json").write_text("{", "utf-8")
    with pytest.raises(ExportError, match="is no manifest"):
        export(DISTILLED, ["gguf"], tmp_path)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--backend", "tensorrt"], "backend is 'tensorrt'; it must be one of native, onnxruntime"),
        (["--backend", "onnxruntime"], "name its export with --backend-model"),
        (["--backend-model", "x"], "it must be left out"),
        (["--backend", "onnxruntime", "--backend-model", "nowhere"], "nowhere"),
    ],
)
def test_sample_refuses_a_backend_that_cannot_be(
    more: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s.npy"
    command = ["sample", "--model", str(DISTILLED), "--text", "5 V", "--out", str(out), *more]
    assert geng_edge(command) in (2, 3)
    assert sentence in capsys.readouterr().err
    assert not out.exists()
