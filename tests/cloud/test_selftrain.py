"""The stages of self-training talk through JSONL files, on a model small enough for a test."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the cloud package needs torch")
pytest.importorskip("transformers", reason="the cloud package needs transformers")

import torch
from tokenizers import Tokenizer

from geng_cog.backends.embedded import EmbeddedBackend
from geng_cog.cli.main import main
from geng_cog.evaluate.measure import measure, measure_alike
from geng_cog.evaluate.rubric import usual_noise, usual_trends
from geng_cog.evaluate.sets import tasks
from geng_cog.evaluate.table import run_table, shown, summary, write_results
from geng_cog.knowledge import by_label, scenarios
from geng_cog.lm import model as network
from geng_cog.lm.training import Example, Recipe, batches, train
from geng_cog.selftrain import rounds
from geng_cog.selftrain.augment import DRAFTS, answered, augment, subjects
from geng_cog.selftrain.base import pretrain
from geng_cog.selftrain.candidates import Candidate, read_candidates, write_candidates
from geng_cog.selftrain.documents import Document, read_documents
from geng_cog.selftrain.score import (
    checked,
    does_as_asked,
    grades,
    has_habits,
    is_usual,
    kept_by_bridge,
    settled,
    shows,
)
from geng_cog.selftrain.select import Bar, select
from geng_cog.selftrain.things import likeness, nearest
from geng_cog.selftrain.tune import Lesson
from geng_cog.selftrain.tune import lesson as lesson_example
from geng_cog.statement import parse
from geng_edge import Generator
from geng_edge.errors import ArgumentError

GOOD = (
    "Air temperature in a barn. The weather drives it, with a maximum in the afternoon.\n"
    "span 1 week, every 30 min\n# air temperature [degC]\nvalues 10.5 .. 19.5\nperiod 1 day\nwave sine\n"
    "trend up\nnoise low\nanomaly dip down 0.9"
)
DOCUMENTS = [
    Document(
        f"d{i}", title, f"{title} reports the temperature and the humidity of a living room. " * 6
    )
    for i, title in enumerate(("Smart thermostat", "Cellar probe", "Barn logger", "Pump monitor"))
]


def candidate(
    task: str = "air temperature of a barn", text: str = GOOD, **more: object
) -> Candidate:
    fields: dict[str, object] = {"asked": "", "round": 1, **more}
    return Candidate("d1", "air temperature", "barn", task, text=text, **fields)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model of a few thousand weights, after a few steps."""
    folder = tmp_path_factory.mktemp("base")
    pretrain(
        DOCUMENTS, folder, Recipe(epochs=0.02, tokens=512), hidden_size=32, intermediate_size=48,
        num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def real() -> Generator:
    return Generator.load(threads=1)


def test_a_model_file_gives_back_its_weights_within_a_step_of_int8(
    base: Path, tmp_path: Path
) -> None:
    first, facts = network.load(base / "cog.safetensors")
    assert facts["stage"] == "base"
    network.save(first, tmp_path / "again.safetensors", facts)
    second, _ = network.load(tmp_path / "again.safetensors")
    for (name, a), (_, b) in zip(first.named_parameters(), second.named_parameters(), strict=True):
        assert (a - b).abs().max() <= a.abs().max() / 127.0, name


def test_a_base_of_documents_alone_reads_less_with_the_same_words(
    base: Path, tmp_path: Path
) -> None:
    figures = pretrain(
        DOCUMENTS, tmp_path, Recipe(epochs=1.0, tokens=512), with_prose=False, hidden_size=32,
        intermediate_size=48, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
    )  # fmt: skip
    _, facts = network.load(base / "cog.safetensors")
    assert 0 < figures["examples"] < facts["examples"] / 2
    same = [(folder / "tokenizer.json").read_bytes() for folder in (base, tmp_path)]
    assert same[0] == same[1]


def test_augment_makes_candidates_of_documents_and_of_their_own_words(base: Path) -> None:
    writer = EmbeddedBackend(base).writer
    found = augment(writer, DOCUMENTS, 1, 0)
    assert found == augment(writer, DOCUMENTS, 1, 0)
    assert all(len(c.drafts) == DRAFTS and c.text == c.drafts[0] for c in found)
    for c in found:
        document = next(d for d in DOCUMENTS if d.id == c.document)
        assert (c.named, c.device) in subjects(document)
        assert parse(c.text).channels
        assert c.named.lower() in c.task.lower()
        assert c.device in c.task


def test_a_failed_answer_is_written_anew_for_the_same_task(base: Path) -> None:
    old = candidate(grade=2.0, checks=(("usual", 0.0),))
    (new,) = answered(EmbeddedBackend(base).writer, [old], 5, drafts=3)
    assert (new.task, new.document, len(new.drafts)) == (old.task, old.document, 3)
    assert new.checks == ()
    assert new.grade is None


def test_drafts_settle_on_what_the_good_ones_agree_on() -> None:
    plain = GOOD.replace("trend up", "trend none")
    asked = "anomaly dip down 0.9"
    warm = plain.replace("10.5 .. 19.5", "11 .. 20")
    warmer = plain.replace("10.5 .. 19.5", "11.5 .. 20.5")
    wrong = plain.replace("period 1 day", "period 5 h")
    many = candidate(asked=asked, text=wrong, drafts=(wrong, plain, warm, warmer, wrong))
    found = settled(many)
    assert parse(found.text).channels[0].periods == (86400.0,)
    assert (parse(found.text).channels[0].low, parse(found.text).channels[0].high) == (11.0, 20.0)
    assert found.support == 0.6
    assert settled(replace(many, drafts=(wrong, wrong))).support == 0.0


def test_times_of_the_models_own_choice_must_show_a_cycle() -> None:
    claims, kind = parse(GOOD).channels[0], by_label()["air temperature [degC]"]
    never = replace(claims, periods=(), wave=None)
    assert shows("air temperature of a barn", claims, kind)
    assert not shows("air temperature of a barn", never, kind)
    assert shows("air temperature of a barn for one hour, every minute", never, kind)


def test_a_candidate_teaches_what_follows_its_quantity_and_a_seed_all(base: Path) -> None:
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    part, whole = (
        lesson_example(tokenizer, Lesson("a task", GOOD, whole=w)) for w in (False, True)
    )
    shown = tokenizer.decode([i for i, on in zip(part.ids, part.learned, strict=True) if on])
    assert shown.lstrip().startswith("values")
    assert shown.rstrip().endswith("end")
    assert sum(whole.learned) > sum(part.learned)


def test_averaged_weights_differ_from_the_last_and_repeat(base: Path) -> None:
    examples = [Example((5, 6 + i % 3, 7), (False, True, True)) for i in range(32)]
    found = []
    for average in (0.0, 0.5, 0.5):
        model, _ = network.load(base / "cog.safetensors")
        train(model, examples, Recipe(epochs=2.0, tokens=12, average=average))
        found.append(model.lm_head.weight.detach().clone())
    assert not torch.equal(found[0], found[1])
    assert torch.equal(found[1], found[2])


def test_a_row_is_the_mean_of_its_trainings(base: Path, tmp_path: Path) -> None:
    plan = rounds.Plan(tmp_path, base, recipe=Recipe(epochs=0.05, tokens=1024))
    few = rounds.seed_lessons()[:6]
    rounds.tuned(plan, plan.round(0), few, [], print)
    said: list[str] = []
    made = rounds.trainings(plan, tmp_path / "row", few, [], 3, said.append, first=plan.round(0))
    assert made == [plan.round(0), *(tmp_path / "row" / f"member-{n}" for n in (1, 2))]
    assert len(said) == 2  # the first is the one that was there
    asked = tasks("tuning")[:3]
    alone = [measure(EmbeddedBackend(folder, votes=0), asked)["right"] for folder in made]
    found = measure_alike([EmbeddedBackend(folder, votes=0) for folder in made], asked)
    assert found["each"] == [one["all"] for one in alone]
    assert found["right"]["range"] == pytest.approx(
        sum(one["range"] for one in alone) / 3, abs=1e-4
    )
    assert set(found["agreed"]) == set(found["right"])


def test_the_grade_is_an_expectation_over_five_digits(base: Path) -> None:
    found = grades(EmbeddedBackend(base).writer, [candidate(), candidate("wind speed")])
    assert all(1.0 < grade < 5.0 for grade in found)
    assert found[0] != found[1]


def test_checks_find_what_is_right_and_what_is_not(real: Generator) -> None:
    good = candidate(asked="anomaly dip down 0.9", text=GOOD.replace("trend up", "trend none"))
    assert dict(checked(good, real))["bridge"] >= 0.8
    assert replace(good, checks=checked(good, real)).passed
    wide = replace(good, text=good.text.replace("10.5 .. 19.5", "10.5 .. 10.6"))
    assert not dict(checked(wide, real))["usual"]
    hourly = replace(good, text=good.text.replace("period 1 day", "period 5 h"))
    assert not dict(checked(hourly, real))["usual"]
    other = replace(good, named="wind speed")
    assert not dict(checked(other, real))["named"]
    assert dict(checked(replace(good, text="nonsense"), real)) == {"parses": 0.0}


def test_a_trend_or_an_anomaly_that_was_not_asked_for_is_found() -> None:
    claims = parse(GOOD).channels[0]
    assert does_as_asked(claims, "anomaly dip down 0.9")
    assert not does_as_asked(claims, "")
    assert not does_as_asked(claims, "anomaly spike up 0.9")
    plain = replace(claims, anomalies=())
    assert does_as_asked(plain, "trend up")
    assert not does_as_asked(plain, "trend down")


def test_a_range_is_held_against_scenarios_of_the_most_alike_things_and_names() -> None:
    skin = by_label()["body temperature [degC]"]
    kin = [s for s in scenarios("train") if s.kind.key == skin.key]
    assert {s.said for s in nearest(kin, "skin temperature", "thing")} == {"skin temperature"}
    assert nearest(kin, "temperature of a patient", "thing") == kin
    statement = parse(
        "Skin temperature at a wrist. It falls by night.\nspan 1 week, every 30 min\n"
        "# body temperature [degC]\nvalues 31 .. 34\nperiod 1 day\nwave sine\ntrend none\nnoise low\n"
        "anomaly none"
    )
    claims = statement.channels[0]
    of = replace(candidate(), device="thing")
    assert is_usual(claims, skin, statement, replace(of, named="skin temperature"))
    assert not is_usual(claims, skin, statement, replace(of, named="body temperature"))
    # A name that no scenario has is any of the kind.
    assert is_usual(claims, skin, statement, replace(of, named="temperature of a patient"))


def test_a_freezer_is_as_cold_as_freezers_are() -> None:
    kind = by_label()["cabinet temperature [degC]"]
    cold = parse(
        "Cabinet temperature in a freezer. A compressor starts and stops.\nspan 4 h, every 1 min\n"
        "# cabinet temperature [degC]\nvalues -22 .. -18\nperiod 40 min\nwave sine\ntrend none\nnoise low\n"
        "anomaly none"
    )
    kin = [s for s in scenarios("train") if s.kind.key == kind.key]
    (freezer,) = (s for s in kin if s.place == "chest freezer")
    assert likeness(freezer, "chest freezer") == 2
    period = freezer.periods[0]
    claims = replace(cold.channels[0], periods=(period,))
    asked = replace(candidate(), named="cabinet temperature")
    statement = replace(cold, span=8 * period, interval=period / 40)
    assert is_usual(claims, kind, statement, replace(asked, device="chest freezer"))
    assert not is_usual(claims, kind, statement, replace(asked, device="refrigerator"))


def test_wave_noise_and_trend_are_those_of_the_thing() -> None:
    known = scenarios("train")
    freezer = next(s for s in known if s.place == "chest freezer")
    of = replace(candidate(), named=freezer.said, device="chest freezer", asked="nothing")
    usual = replace(
        parse(GOOD).channels[0], wave=freezer.habit.waves[0], trend="none",
        noise=usual_noise(freezer)[0],
    )  # fmt: skip
    assert usual_trends(freezer) == ("none",)
    assert has_habits(usual, freezer.kind, of)
    odd = ({"wave": "bursts"}, {"noise": "high"}, {"trend": "up"})
    assert not any(has_habits(replace(usual, **o), freezer.kind, of) for o in odd)
    asked = replace(of, asked="trend up")
    assert has_habits(replace(usual, trend="up"), freezer.kind, asked)


def test_the_bridge_keeps_a_usual_claim(real: Generator) -> None:
    assert kept_by_bridge(parse(GOOD), real) >= 0.8


def test_select_keeps_the_best_and_few_of_one_quantity() -> None:
    passed = (("parses", 1.0), ("bridge", 1.0))
    many = [candidate(f"task {i}", grade=1.0 + i / 10.0, checks=passed) for i in range(20)]
    failed = candidate("bad", grade=5.0, checks=(("parses", 1.0), ("usual", 0.0)))
    kept = select([*many, failed], 1, Bar(best=0.5, fall=0.1, least=0.2, each=8))
    assert [c.task for c in kept] == [f"task {i}" for i in range(19, 11, -1)]
    assert len(select(many, 3, Bar(best=0.5, fall=0.1, least=0.2, each=8))) == 6


def test_candidates_read_back_and_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    made = [candidate(grade=4.5, checks=(("parses", 1.0), ("bridge", 0.9)))]
    write_candidates(file, made)
    assert read_candidates(file) == made
    file.write_text(file.read_text() + "{}\n")
    with pytest.raises(ArgumentError, match="line 2 is no candidate"):
        read_candidates(file)


def test_documents_come_from_a_folder_of_text_or_a_jsonl(tmp_path: Path) -> None:
    (tmp_path / "pump_station.md").write_text("A pump moves water.\n\n" * 60)
    (tmp_path / "documents.jsonl").write_text(
        json.dumps({"id": "x", "text": "A fan turns."}) + "\n"
    )
    found = read_documents(tmp_path)
    assert {d.title for d in found} == {"pump station", ""}
    assert len(found) > 2
    with pytest.raises(ArgumentError, match="holds no documents"):
        read_documents(
            tmp_path.joinpath("pump_station.md").parent / ".."
        ).clear() or read_documents(make_empty(tmp_path))


def make_empty(folder: Path) -> Path:
    empty = folder / "empty"
    empty.mkdir()
    return empty


def test_batches_see_every_example_once_an_epoch() -> None:
    examples = [Example((i,) * (3 + i % 5), (True,) * (3 + i % 5)) for i in range(40)]
    found = [e for batch in batches(examples, Recipe(epochs=2.0, tokens=30)) for e in batch]
    assert sorted(e.ids[0] for e in found) == sorted(list(range(40)) * 2)


def test_rounds_run_resume_and_end_in_a_table(
    base: Path, real: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = rounds.seed_lessons()[:6]
    monkeypatch.setattr(rounds, "seed_lessons", lambda *_: few)
    monkeypatch.setattr("geng_cog.evaluate.table.seed_lessons", lambda *_: few)
    monkeypatch.setattr("geng_cog.evaluate.table.tasks", lambda _: rounds_tasks())
    plan = rounds.Plan(
        tmp_path / "run", base, rounds=2, documents=2, recipe=Recipe(epochs=0.05, tokens=1024)
    )
    said: list[str] = []
    by_seed = run_table(plan, 2, DOCUMENTS, real, said.append)
    assert [row["model"] for row in summary(by_seed)] == [
        "base",
        "seed only",
        "unfiltered",
        "round 2",
    ]
    for name in (
        "candidates.jsonl",
        "scored.jsonl",
        "kept.jsonl",
        "figures.json",
        "cog.safetensors",
    ):
        assert (plan.round(2) / name).is_file()
    assert len(read_candidates(plan.round(2) / "scored.jsonl")) >= len(
        read_candidates(plan.round(1) / "scored.jsonl")
    )
    before = (plan.round(1) / "cog.safetensors").stat().st_mtime_ns
    (plan.round(2) / "kept.jsonl").unlink()
    rounds.run_rounds(plan, DOCUMENTS, real)
    assert (plan.round(1) / "cog.safetensors").stat().st_mtime_ns == before
    assert (plan.round(2) / "kept.jsonl").is_file()
    write_results(tmp_path / "t.json", by_seed, plan, 1, "four documents", "geng-cog evaluate")
    result = json.loads((tmp_path / "t.json").read_text())
    assert result["seeds"] == [0, 1]
    assert result["table"][0]["parsed"] == 1.0
    assert len(result["table"][0]["tuning_by_seed"]) == 2
    assert "seed only" in shown(result["table"])


def rounds_tasks() -> object:
    return tasks("tuning")[:2]


def test_the_command_runs_stages_through_files(tmp_path: Path) -> None:
    out = tmp_path / "seeds.jsonl"
    assert main(["selftrain", "seed", "--out", str(out)]) == 0
    lines = out.read_text().splitlines()
    assert len(lines) == len(rounds.seed_lessons())
    assert rounds.read_lessons(out)[0].task == json.loads(lines[0])["task"]
    scored = tmp_path / "scored.jsonl"
    write_candidates(scored, [candidate(grade=4.0, checks=(("parses", 1.0), ("bridge", 1.0)))])
    assert (
        main(["selftrain", "select", "--in", str(scored), "--out", str(tmp_path / "kept.jsonl")])
        == 0
    )
    assert len(read_candidates(tmp_path / "kept.jsonl")) == 1
    assert main(["selftrain", "augment", "--out", str(out)]) == 2
    table = [
        "evaluate",
        "--table",
        "--corpus",
        str(out),
        "--folder",
        str(tmp_path),
        "--out",
        str(out),
    ]
    assert main([*table, "--members", "0"]) == 2


def test_seed_pairs_of_fewer_scenarios_are_a_part_of_all() -> None:
    few, every = rounds.seed_lessons(30), rounds.seed_lessons()
    assert 90 <= len(few) < 150
    assert set(few) < set(every)
    assert few == rounds.seed_lessons(30)
