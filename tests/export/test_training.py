"""Training, export and reading back, on the tiny preset and a BERT made here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGUFReader
from transformers import BertConfig, BertModel, BertTokenizerFast

from geng_export.__main__ import main as export_main
from geng_export.data.dataset import Mixture, Source, development_descriptions
from geng_export.data.scenarios import SCENARIOS
from geng_export.errors import ExportError
from geng_export.models import layout as at
from geng_export.models.bundle import Bundle
from geng_export.models.presets import PRESETS
from geng_export.models.text_expert import TextExpert
from geng_export.quantize.smooth import column_ranges, smoothing
from geng_export.targets import gguf
from geng_export.targets.read_gguf import load_bundle
from geng_export.train import checkpoint
from geng_export.train.__main__ import train
from geng_export.train.blend import blend
from geng_export.train.blend import main as blend_main
from geng_export.train.recipe import TWO_KINDS, Recipe
from geng_export.train.refit import main as refit_main
from geng_export.train.refit import refit
from geng_export.train.reword import main as reword_main
from geng_export.train.reword import reword


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT with a character vocabulary, as a folder that transformers can load."""
    folder = tmp_path_factory.mktemp("bert")
    letters = [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *letters,
        *(f"##{c}" for c in letters),
    ]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    recipe = Recipe(
        preset="tiny",
        text_expert=str(bert),
        text_layers=1,
        batch=8,
        steps=4,
        warmup=1,
        text_steps=4,
        text_batch=8,
        student_steps=4,
        student_grid=4,
        encoder_steps=4,
        bf16=False,
        workers=0,
    )
    recipe.save(folder / "recipe.yaml")
    train(recipe, folder)
    return folder


def stored(path: Path) -> dict[str, bytes]:
    """Every tensor of a model file as it lies there."""
    return {t.name: np.asarray(t.data).tobytes() for t in GGUFReader(path).tensors}


def test_training_goes_on_where_it_stopped(trained: Path) -> None:
    recipe = replace(Recipe.load(trained / "recipe.yaml"), steps=6)
    train(recipe, trained)
    _, facts = checkpoint.load(trained / "bridge.safetensors")
    assert facts["step"] == 6


def test_rewording_trains_the_text_side_alone(trained: Path, tmp_path: Path) -> None:
    gguf.write(Bundle.load(trained), tmp_path / "m.gguf", card={"trend": 1.0})
    made = reword(tmp_path / "m.gguf", tmp_path / "again", steps=2, batch=8)
    before, after = stored(tmp_path / "m.gguf"), stored(made)
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert {name.split(".")[0] for name in changed} == {"text", "reader", "claims"}
    assert not changed & {"text.word", "text.position", "text.norm.weight"}
    card = GGUFReader(made).fields["geng.evaluation_card"].contents()
    assert json.loads(str(card)) == {
        "reworded": {"model": "m.gguf", "steps": 2, "batch": 8, "seed": 0}
    }
    again = reword(tmp_path / "m.gguf", made.parent, steps=2, batch=8, card={"trend": 1.0})
    assert "trend" in str(GGUFReader(again).fields["geng.evaluation_card"].contents())
    assert stored(again) == after
    with pytest.raises(ExportError, match="again is of another run; it must be a new folder"):
        reword(tmp_path / "m.gguf", made.parent, steps=2, batch=8, seed=1)
    with pytest.raises(ExportError, match="text is at step 2 there and must be trained to 2"):
        reword(tmp_path / "m.gguf", made.parent, steps=1, batch=8)


def test_refitting_trains_bridge_and_student_alone(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def single(path: Path) -> Bundle:
        """Accelerate keeps one precision for a whole process; other tests train in this one."""
        bundle = load_bundle(path)
        return replace(bundle, recipe=replace(bundle.recipe, bf16=False))

    monkeypatch.setattr("geng_export.train.refit.load_bundle", single)
    monkeypatch.setattr("geng_export.train.refit.EXAMPLES", 300)
    old = Bundle.load(trained)
    second_is_dropout = at.EVENTS, at.EVENT_WIDTH + at.EVENT_KINDS.index("dropout")
    old.decoder.mean[second_is_dropout], old.decoder.std[second_is_dropout] = 0.0, 1.0
    gguf.write(old, tmp_path / "m.gguf")
    made = refit(tmp_path / "m.gguf", tmp_path / "again", steps=2, student_steps=2)
    before, after = stored(tmp_path / "m.gguf"), stored(made)
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert {name.split(".")[0] for name in changed} == {"bridge", "student", "latent"}
    assert load_bundle(tmp_path / "m.gguf").recipe.two_kinds == 0.0
    assert load_bundle(made).recipe.two_kinds == TWO_KINDS
    scaled = load_bundle(made).decoder
    assert 0.0 < float(scaled.std[second_is_dropout]) < 0.5
    others = [i for i in range(len(scaled.std)) if i != at.EVENTS]
    assert torch.equal(scaled.std[others], old.decoder.std[others])
    card = json.loads(str(GGUFReader(made).fields["geng.evaluation_card"].contents()))
    assert card["refitted"]["steps"] == 2
    assert card["refitted"]["real_windows"] == 0
    with pytest.raises(ExportError, match="again is of another run"):
        refit(tmp_path / "m.gguf", made.parent, steps=2, student_steps=2, seed=1)
    command = ["--model", str(tmp_path / "m.gguf"), "--out", str(tmp_path / "x"), "--steps", "0"]
    assert refit_main(command) == 2
    assert not (tmp_path / "x").exists()


def test_rewording_refuses_a_model_without_a_claims_reader(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = replace(Bundle.load(trained), claims=None)
    monkeypatch.setattr("geng_export.train.reword.load_bundle", lambda _: bundle)
    with pytest.raises(ExportError, match="has no claims reader; it must have one"):
        reword(tmp_path / "m.gguf", tmp_path / "again")


def test_a_blend_lies_between_two_text_sides_and_keeps_the_rest(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = Bundle.load(trained)
    assert bundle.claims is not None
    weight = bundle.claims.up.weight.detach().numpy().copy()
    gguf.write(bundle, tmp_path / "old.gguf")
    with torch.no_grad():
        bundle.claims.up.weight += 1.0
        bundle.bridge.output.weight += 1.0
    gguf.write(bundle, tmp_path / "new.gguf")
    paths = [tmp_path / name for name in ("old.gguf", "new.gguf", "blend.gguf")]
    blend(*paths, share=0.25, card={"trend": 1.0})
    old, new, made = (
        {t.name: np.asarray(t.data) for t in GGUFReader(path).tensors} for path in paths
    )
    assert np.allclose(made["claims.up.weight"], weight + 0.25, atol=1e-6)
    others = [name for name in old if name.split(".")[0] not in ("text", "reader", "claims")]
    assert all(np.array_equal(made[name], old[name]) for name in others)
    assert any(not np.array_equal(new[name], old[name]) for name in others)
    card = json.loads(str(GGUFReader(paths[2]).fields["geng.evaluation_card"].contents()))
    assert card == {
        "trend": 1.0,
        "blended": {"old": "old.gguf", "new": "new.gguf", "share": 0.25},
    }
    command = ["--old", str(paths[0]), "--new", str(paths[1]), "--out", str(tmp_path / "x.gguf")]
    assert blend_main([*command, "--share", "1.5"]) == 2
    assert "share is 1.5; it must be 0 to 1" in caplog.text
    assert not (tmp_path / "x.gguf").exists()


def test_a_file_takes_the_rest_from_its_own_origin_alone(trained: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(trained)
    gguf.write(bundle, tmp_path / "m.gguf")
    with pytest.raises(ExportError, match="has other tensors than the model"):
        gguf.write(replace(bundle, student=None), tmp_path / "n.gguf", rest=tmp_path / "m.gguf")
    assert not (tmp_path / "n.gguf").exists()


def test_a_full_disk_leaves_nothing_and_is_said(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gguf.GGUFWriter.write_tensors_to_file", full)
    with pytest.raises(ExportError, match="No space left on device; it must be writable"):
        gguf.write(Bundle.load(trained), tmp_path / "m.gguf")
    assert not list(tmp_path.iterdir())
    (tmp_path / "x.tmp").mkdir()
    with pytest.raises(ExportError, match=r"x\.safetensors: .*; it must be writable"):
        checkpoint.save(tmp_path / "x.safetensors", {"x": torch.zeros(1)}, {})


@pytest.mark.parametrize("text", [None, "{", "[1]", "\xff"])
def test_a_card_that_cannot_be_read_is_refused(
    text: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    card = tmp_path / "card.json"
    if text is not None:
        card.write_text(text, encoding="latin-1")
    assert reword_main(["--out", str(tmp_path / "run"), "--card", str(card)]) == 2
    assert export_main(["export", "--run", ".", "--out", "m.gguf", "--card", str(card)]) == 2
    assert len(caplog.messages) == 2
    assert all("card.json" in said and "it must be" in said for said in caplog.messages)


@pytest.mark.parametrize("int8", [True, False])
def test_exported_model_reads_back_as_it_was(trained: Path, tmp_path: Path, int8: bool) -> None:
    bundle = Bundle.load(trained)
    errors = gguf.write(bundle, tmp_path / "m.gguf", int8=int8, card={"trend": 1.0})
    again = load_bundle(tmp_path / "m.gguf")
    before = {t.name: t.value for t in gguf.tensors_of(bundle)}
    after = {t.name: t.value for t in gguf.tensors_of(again)}
    assert before.keys() == after.keys()
    for name, value in before.items():
        allowed = 0.02 * float(np.abs(value).max()) if name in errors else 0.0
        if name != "text.position":
            np.testing.assert_allclose(after[name], value, atol=allowed + 1e-7, err_msg=name)
    assert bool(errors) is int8
    assert all(error < 0.02 for error in errors.values())


def test_loud_columns_are_evened_out(trained: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(trained)
    gguf.write(bundle, tmp_path / "m.gguf")
    ranges = column_ranges(bundle)
    assert {name.split(".")[-1] for name in ranges} == {"qkv", "up", "down"}
    weight = next(t.value for t in gguf.tensors_of(bundle) if t.name == "bridge.0.up.weight")
    loud = ranges["bridge.0.up"].copy()
    loud[3] *= 50.0
    factors = smoothing(weight, loud)
    quiet = np.delete(loud * factors, 3)
    assert (loud * factors)[3] / quiet.max() < 0.5 * loud[3] / np.delete(loud, 3).max()
    assert np.log(factors).mean() == pytest.approx(0.0, abs=1e-6)


def test_examples_depend_on_seed_epoch_and_index_alone(bert: Path) -> None:
    tokenizer = TextExpert.from_pretrained(str(bert), 1).tokenizer
    source = Source(PRESETS["tiny"].layout, Mixture(0.5, 0.0), seed=3)
    one, two = source.example(0, 5, tokenizer), source.example(0, 5, tokenizer)
    np.testing.assert_array_equal(one.raw, two.raw)
    np.testing.assert_array_equal(one.ids, two.ids)
    other = source.example(1, 5, tokenizer)
    assert one.raw.tobytes() != other.raw.tobytes()


def test_development_descriptions_use_scenarios_that_training_does_not() -> None:
    pairs = development_descriptions(40)
    assert [p.task for p in pairs[:8]] == [1, 2, 3, 4, 1, 2, 3, 4]
    trained_on = {(s.device, s.place, s.quantity) for s in SCENARIOS if s.split == "train"}
    held_out = {(s.device, s.place, s.quantity) for s in SCENARIOS if s.split == "development"}
    assert not trained_on & held_out


def test_recipe_refuses_an_unknown_setting(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(json.dumps({"learning_rat": 1}), encoding="utf-8")
    with pytest.raises(ExportError, match="it must be a mapping with keys among"):
        Recipe.load(path)


def test_presets_have_the_sizes_they_promise() -> None:
    from geng_export.models.bridge import Bridge

    def millions(name: str) -> float:
        with torch.device("meta"):
            return sum(p.numel() for p in Bridge(PRESETS[name].bridge).parameters()) / 1e6

    assert 5.0 <= millions("edge") <= 12.0
    assert 70.0 <= millions("paper") <= 90.0
