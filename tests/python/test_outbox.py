"""The outbox: asked once, answered once, delivered in order, through crashes at any moment."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from geng_edge.errors import MessageError, OutputError
from geng_edge.service.entries import (
    ANSWERED,
    ASKED,
    BUS,
    DELIVERED,
    HTTP,
    Answered,
    Asked,
    Bounds,
    Entry,
)
from geng_edge.service.outbox import Outbox

LATER = 1e12


def asked(name: str, body: bytes = b"body", road: str = BUS, reserve: int = 64) -> Asked:
    return Asked(name, road, body, hashlib.sha256(body).digest(), LATER, reserve, "topic")


def admit(outbox: Outbox, request: Asked) -> Entry:
    (found,) = outbox.ask([request])
    assert isinstance(found, Entry), found
    return found


def refused(found: Entry | MessageError) -> str:
    assert isinstance(found, MessageError)
    return found.code


def image(path: Path, folder: Path) -> Path:
    """What a power cut at this moment leaves: the files as they are, while they are open."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in path.parent.glob(path.name + "*"):
        shutil.copy(file, folder / file.name)
    return folder / path.name


class Ledger(RuleBasedStateMachine):
    """Random askers, worker, courier and power cuts beside a model that is a dictionary."""

    ids = st.sampled_from([f"r{i}" for i in range(6)])
    bodies = st.sampled_from([b"x", b"y" * 40])

    def __init__(self) -> None:
        super().__init__()
        # In memory where there is such a place: thousands of commits wait for no disk there.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.TemporaryDirectory(dir=memory)
        self.generation = 0
        self.outbox = Outbox(self._path(), Bounds(rows=50, size=4096, waiting=4))
        self.model: dict[str, tuple[int, bytes, str, bytes | None]] = {}
        self.answers: dict[str, bytes] = {}
        self.order: list[int] = []

    def _path(self) -> Path:
        folder = Path(self.folder.name, str(self.generation))
        folder.mkdir(exist_ok=True)
        return folder / "outbox.db"

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()

    @rule(name=ids, body=bodies)
    def ask(self, name: str, body: bytes) -> None:
        waiting = sum(state == ASKED for _, _, state, _ in self.model.values())
        (found,) = self.outbox.ask([asked(name, body)])
        if name in self.model:
            position, had, state, answer = self.model[name]
            if had != body:
                assert refused(found) == "taken"
            else:
                assert isinstance(found, Entry)
                assert (found.position, found.state, found.answer) == (position, state, answer)
        elif waiting >= 4:
            assert refused(found) == "busy"
        else:
            assert isinstance(found, Entry)
            assert found.state == ASKED
            assert all(found.position > position for position, *_ in self.model.values())
            self.model[name] = (found.position, body, ASKED, None)

    @rule(text=st.binary(max_size=20))
    def answer_the_first(self, text: bytes) -> None:
        found = self.outbox.waiting()
        waiting = sorted(p for p, _, state, _ in self.model.values() if state == ASKED)
        assert (found.position if found else None) == (waiting[0] if waiting else None)
        if found is not None:
            second = self.outbox.waiting(found.position)
            assert (second.position if second else None) == [*waiting, None][1]
            entries = [found, second] if second is not None else [found]
            given = [Answered(entry.position, text, "text/csv") for entry in entries]
            assert all(self.outbox.answer_all(given))
            for entry in entries:
                self._answered(entry.id, text)

    @rule(name=ids, text=st.binary(max_size=20))
    def answer_any(self, name: str, text: bytes) -> None:
        """A cancel answers out of turn, and what is answered takes no second answer."""
        if name not in self.model:
            with pytest.raises(MessageError):
                self.outbox.get(name)
            return
        position, _, state, _ = self.model[name]
        assert self.outbox.answer(position, text, "text/csv", "cancelled") is (state == ASKED)
        if state == ASKED:
            self._answered(name, text)

    def _answered(self, name: str, text: bytes) -> None:
        position, body, _, _ = self.model[name]
        self.model[name] = (position, body, ANSWERED, text)
        assert name not in self.answers
        self.answers[name] = text

    @rule(most=st.integers(1, 3))
    def deliver(self, most: int) -> None:
        owed = sorted((p, n, s) for n, (p, _, s, _) in self.model.items() if s != DELIVERED)
        due = [n for _, n, s in itertools.takewhile(lambda entry: entry[2] == ANSWERED, owed)]
        found = self.outbox.undelivered(most)
        assert [entry.id for entry in found] == due[:most]
        self.outbox.delivered([entry.position for entry in found])
        for entry in found:
            position, body, _, answer = self.model[entry.id]
            self.model[entry.id] = (position, body, DELIVERED, answer)
            self.order.append(position)

    @rule()
    def power_cut(self) -> None:
        self.generation += 1
        self._reopen(image(self.outbox.path, Path(self.folder.name, str(self.generation))))

    def _reopen(self, path: Path) -> None:
        self.outbox.close()
        self.outbox = Outbox(path, self.outbox.bounds)

    @precondition(lambda self: self.outbox.waiting() is not None)
    @rule(statement=st.integers(0, 5))
    def power_cut_inside_an_answer(self, statement: int) -> None:
        """The files as they were before each statement: the answer is there or it is not."""
        found = self.outbox.waiting()
        assert found is not None
        self.generation += 1
        folder = Path(self.folder.name, str(self.generation))
        seen = 0

        def look(_: str) -> None:
            nonlocal seen
            if seen == statement:
                image(self.outbox.path, folder)
            seen += 1

        self.outbox._db.set_trace_callback(look)
        assert self.outbox.answer(found.position, b"late", "text/csv")
        self.outbox._db.set_trace_callback(None)
        assert seen > statement
        self._reopen(folder / self.outbox.path.name)
        after = self.outbox.get(found.id)
        assert after.state == ASKED  # the commit is the last statement
        assert after.answer is None

    @invariant()
    def ledger_equals_model(self) -> None:
        for name, (position, _, state, answer) in self.model.items():
            entry = self.outbox.get(name)
            assert (entry.position, entry.state, entry.answer) == (position, state, answer)
        counts = self.outbox.counts()
        states = [state for _, _, state, _ in self.model.values()]
        for state in (ASKED, ANSWERED, DELIVERED):
            assert counts[state] == states.count(state)
        assert counts["bytes"] <= 4096
        assert self.order == sorted(self.order)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    database=None,
)


def test_outbox_admits_many_in_one_commit_and_keeps_their_order(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db") as outbox:
        found = outbox.ask([asked(f"r{i}") for i in range(40)])
        assert [e.id for e in found if isinstance(e, Entry)] == [f"r{i}" for i in range(40)]
        assert outbox.waiting() == found[0]


def test_outbox_stays_within_its_bytes_and_drops_the_oldest_delivered_answers(
    tmp_path: Path,
) -> None:
    with Outbox(tmp_path / "o.db", Bounds(rows=1000, size=100_000)) as outbox:
        for i in range(300):
            entry = admit(outbox, asked(f"r{i}", reserve=2000))
            assert outbox.answer(entry.position, bytes(2000), "text/csv")
            outbox.delivered([entry.position])
            assert outbox.counts()["bytes"] <= 100_000
        assert outbox.get("r0").answer is None
        assert outbox.get("r299").answer == bytes(2000)
        (again,) = outbox.ask([asked("r0")])
        assert refused(again) == "gone"
    assert (tmp_path / "o.db").stat().st_size < 400_000


def test_outbox_frees_ids_only_when_rows_run_out(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db", Bounds(rows=10)) as outbox:
        for i in range(25):
            entry = admit(outbox, asked(f"r{i}"))
            outbox.answer(entry.position, b"", "text/csv")
            outbox.delivered([entry.position])
        assert outbox.counts()[DELIVERED] == 10
        with pytest.raises(MessageError, match="transaction r14 is unknown"):
            outbox.get("r14")
        assert outbox.get("r15").position == 16


def test_outbox_never_drops_what_is_not_delivered(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db", Bounds(rows=3, size=10_000)) as outbox:
        for i in range(3):
            outbox.answer(admit(outbox, asked(f"r{i}")).position, b"kept", "text/csv")
        (found,) = outbox.ask([asked("r3")])
        assert refused(found) == "busy"
        assert [outbox.get(f"r{i}").answer for i in range(3)] == [b"kept"] * 3


def test_outbox_reserves_room_for_the_answer(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db", Bounds(size=10_000)) as outbox:
        admit(outbox, asked("a", reserve=6000))
        (found,) = outbox.ask([asked("b", reserve=6000)])
        assert refused(found) == "busy"
        assert "6004" in str(found)


def test_outbox_says_of_what_can_never_fit_that_it_is_too_large(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db", Bounds(size=10_000)) as outbox:
        admit(outbox, asked("a", reserve=6000))
        assert [refused(outbox.ask([asked("b", reserve=9996 + i)])[0]) for i in (0, 1)] == [
            "busy",
            "too_large",
        ]


def test_outbox_gives_an_answer_more_room_than_was_reserved_once_those_before_it_are_gone(
    tmp_path: Path,
) -> None:
    with Outbox(tmp_path / "o.db", Bounds(size=10_000)) as outbox:
        first, second, third = (admit(outbox, asked(name, reserve=1000)) for name in "abc")
        assert outbox.fits(first.position, 6000)
        assert not outbox.fits(second.position, 4000)
        assert outbox.counts()["bytes"] == 3 * 4 + 8000
        outbox.answer(first.position, bytes(6000), "text/csv")
        assert not outbox.fits(second.position, 4000)
        outbox.delivered([first.position])
        assert outbox.fits(second.position, 9500)  # first in line: beyond the bound
        assert not outbox.fits(third.position, 2000)
        assert outbox.fits(third.position, 1000)
        outbox.answer(second.position, bytes(9500), "text/csv")
        assert outbox.counts()["bytes"] == 2 * 4 + 10_500
        assert outbox.fits(second.position, 99_999)  # it has its answer


def test_outbox_gives_up_an_http_answer_that_nobody_came_for(tmp_path: Path) -> None:
    now = [1000.0]
    bounds = Bounds(rows=1, uncollected=60.0)
    with Outbox(tmp_path / "o.db", bounds, clock=lambda: now[0]) as outbox:
        outbox.answer(admit(outbox, asked("a", road=HTTP)).position, b"", "text/csv")
        assert refused(outbox.ask([asked("b")])[0]) == "busy"
        now[0] += 61.0
        admit(outbox, asked("b"))


def test_outbox_counts_how_often_an_entry_was_begun_through_a_crash(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db")
    entry = admit(outbox, asked("a"))
    assert outbox.begin(entry.position) == 1
    path = image(outbox.path, tmp_path / "after")
    outbox.close()
    with Outbox(path) as again:
        assert again.begin(entry.position) == 2


def test_outbox_belongs_to_one_process(tmp_path: Path) -> None:
    with (
        Outbox(tmp_path / "o.db"),
        pytest.raises(OutputError, match="no other process has open"),
    ):
        Outbox(tmp_path / "o.db")


def test_outbox_refuses_a_file_that_is_another_programs(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (x)")
    other.commit()
    other.close()
    with pytest.raises(OutputError, match="is no outbox of version 1"):
        Outbox(path)
    (tmp_path / "text.db").write_bytes(b"no database" * 100)
    with pytest.raises(OutputError, match="it must be an outbox"):
        Outbox(tmp_path / "text.db")
    with pytest.raises(OutputError, match="unable to open"):
        Outbox(tmp_path / "nowhere" / "o.db")


def test_outbox_says_so_when_the_disk_is_full_and_stays_as_it_was(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db") as outbox:
        entry = admit(outbox, asked("a"))
        pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
        outbox._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutputError, match="full; nothing was written"):
            outbox.answer(entry.position, bytes(200_000), "text/csv")
        assert outbox.get("a") == entry
        outbox._db.execute("PRAGMA max_page_count = 100000")
        assert outbox.answer(entry.position, bytes(200_000), "text/csv")


def test_outbox_takes_one_answer_from_many_threads(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db") as outbox:
        entry = admit(outbox, asked("a"))
        taken: list[int] = []

        def answer(number: int) -> None:
            if outbox.answer(entry.position, bytes([number]), "text/csv"):
                taken.append(number)

        threads = [threading.Thread(target=answer, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(taken) == 1
        assert outbox.get("a").answer == bytes(taken)


def test_outbox_keeps_virtual_sensors(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db") as outbox:
        outbox.keep_sensor("room", b"{}", 5.0)
        outbox.keep_sensor("room", b"{1}", 6.0)
    with Outbox(tmp_path / "o.db") as outbox:
        assert outbox.sensors() == [("room", b"{1}", 6.0)]
        assert outbox.drop_sensor("room")
        assert not outbox.drop_sensor("room")


def test_outbox_gives_the_bus_what_it_is_owed_in_bounded_portions(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db") as outbox:
        entries = [admit(outbox, asked(f"r{i}", reserve=1000)) for i in range(5)]
        for i in (0, 1, 2, 4):
            outbox.answer(entries[i].position, bytes(600), "text/csv")
        assert [e.id for e in outbox.undelivered(9)] == ["r0", "r1", "r2"]
        assert [e.id for e in outbox.undelivered(9, size=1000)] == ["r0", "r1"]
        outbox.delivered([entries[0].position], arrived=False)
        assert [e.id for e in outbox.undelivered(9)] == ["r1", "r2"]
