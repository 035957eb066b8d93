"""The outbox: a ledger on disk of what was asked, answered and delivered.

What it promises, and what others must do for it to hold:

1. A request is *admitted* once: its id is in the ledger, on disk, before the broker hears that the message
   may be forgotten or an HTTP caller hears anything. The same request again (same id, same bytes, same way
   back) is the same entry; the same id with anything else is refused (``taken``).
2. An entry is *answered* once, with a result or with a rejection and its code; no second answer replaces
   the first. The answer is on disk before a byte of it leaves. After a crash the entry is sampled again:
   same seed, same bytes, and nobody has seen an earlier answer.
3. Answers for the bus are *delivered* in the order of admission (``position``), each until the broker has
   acknowledged it. A crash between that acknowledgement and the note of it in the ledger delivers the same
   answer again: at least once on the bus, once in the ledger.
4. So **a receiver must** keep the ids it has had an answer for and drop any further answer with one of them
   (:class:`geng_edge.service.caller.Caller` does), and **an asker must** send its request again, unchanged,
   until it has the answer: a broker that loses power may lose what it acknowledged. Asked again, the ledger
   sends the answer it has.
5. What is delivered stays until room is needed: first the oldest answers go (asked again, such a request is
   refused with ``gone``), then the oldest entries, and only then is an id free again.

Rows and bytes are bounded; how room is made and kept for answers is said in :mod:`geng_edge.service.room`.

On ``PRAGMA synchronous``: the journal is a write-ahead log. FULL makes a commit wait until the log is on the
disk, and holds for admission and for the answer. NORMAL leaves that to the next of them: a crash of
the process loses nothing, a power cut may lose the last commits, never their order. It holds for the notes
"begun" and "delivered", where a loss costs a second try or a second delivery (3) and an fsync would buy
nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import final

from geng_edge.errors import MessageError, OutputError
from geng_edge.service.entries import ANSWERED, ASKED, DELIVERED, Answered, Asked, Bounds, Entry
from geng_edge.service.room import Room
from geng_edge.wire import codes

_APPLICATION = 0x67656E67  # "geng", in the header of the file
_VERSION = 1
_TABLES = """
CREATE TABLE ledger (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    road TEXT NOT NULL,
    digest BLOB NOT NULL,
    topic TEXT NOT NULL,
    correlation BLOB,
    asked REAL NOT NULL,
    deadline REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'asked',
    tries INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL,
    code TEXT NOT NULL DEFAULT '',
    content_type TEXT NOT NULL DEFAULT '',
    answered REAL,
    delivered REAL,
    delivery INTEGER,
    kept INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE papers (position INTEGER PRIMARY KEY, body BLOB NOT NULL, answer BLOB);
CREATE INDEX by_state ON ledger (state, road, position);
CREATE INDEX by_delivery ON ledger (delivery);
CREATE INDEX by_kept ON ledger (position) WHERE state = 'delivered' AND kept = 1;
CREATE TABLE sensors (name TEXT PRIMARY KEY, body BLOB NOT NULL, begun REAL NOT NULL);
"""
# What is large lies in a table of its own: dropping it frees whole pages, and the ledger stays small.
_ENTRY = (
    "ledger.position, id, road, body, topic, correlation, asked, deadline, state, tries, code, "
    "content_type, answer FROM ledger LEFT JOIN papers USING (position)"
)


@final
class Outbox:
    """The ledger of one gateway, in one SQLite file that this process has to itself.

    Every method is one transaction and may be called from any thread. Cost: one fsync for :meth:`ask`
    and one for :meth:`answer_all`, however many they are given; none for what happens more often.

    Example:
        >>> import tempfile, time
        >>> from geng_edge.service.entries import Asked
        >>> from geng_edge.service.outbox import Outbox
        >>> folder = tempfile.TemporaryDirectory()
        >>> with Outbox(f"{folder.name}/outbox.db") as outbox:
        ...     (found,) = outbox.ask([Asked("a", "mqtt", b"{}", b"digest", time.time() + 9, 100)])
        ...     outbox.answer(found.position, b"time,series_0", "text/csv")
        ...     [entry.id for entry in outbox.undelivered()]
        True
        ['a']
        >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str | Path,
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open or make the file.

        Raises:
            OutputError: It cannot be written, is another program's, or another process has it.
        """
        self.path = Path(path)
        self.bounds = bounds or Bounds()
        self._clock = clock
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                self.path, timeout=0.0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise OutputError(f"{self.path}: {error}; it must be a writable file") from error
        self._room = Room(self._db, self.bounds, clock)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise OutputError(
                f"{self.path}: {error}; it must be an outbox that no other process has open",
                path=self.path,
            ) from error
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        # One owner: no second gateway delivers the same answers, and the log needs no shared memory.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        if self._db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise OutputError(f"{self.path} takes no write-ahead log; it must be on a local disk")
        page = self._db.execute("PRAGMA page_size").fetchone()[0]
        self._db.execute(f"PRAGMA max_page_count = {self._room.most_pages(page)}")
        self._db.execute("PRAGMA journal_size_limit = 4194304")
        self._db.execute("BEGIN EXCLUSIVE")
        (kind,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0:
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {_VERSION}")
        elif (kind, version) != (_APPLICATION, _VERSION):
            raise OutputError(
                f"{self.path} is no outbox of version {_VERSION}; it must be one or not exist yet"
            )
        self._db.execute("COMMIT")
        self._room.count()

    def __enter__(self) -> Outbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        with self._lock:
            self._db.close()

    # ------------------------------------------------------------------ asked

    def ask(self, requests: Sequence[Asked]) -> list[Entry | MessageError]:
        """Admit requests, all in one commit.

        Returns:
            One for each, in order: its entry (a new one, or the one it already has), or why not.
        """
        with self._commit("FULL"):
            return [self._admit(request) for request in requests]

    def _admit(self, asked: Asked) -> Entry | MessageError:
        row = self._db.execute(
            "SELECT digest, kept FROM ledger WHERE id = ?", (asked.id,)
        ).fetchone()
        if row is not None:
            if row[0] != asked.digest:
                return MessageError(
                    f"transaction {asked.id} belongs to another request; it must be new",
                    codes.TAKEN,
                )
            if not row[1]:
                return MessageError(
                    f"transaction {asked.id} was answered and its answer is no longer kept; "
                    "it must be new",
                    codes.GONE,
                )
            return self.get(asked.id)
        size = len(asked.body) + asked.reserve
        if (refusal := self._room.take(size)) is not None:
            return refusal
        position = self._db.execute(
            "INSERT INTO ledger (id, road, digest, topic, correlation, asked, deadline, size) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (asked.id, asked.road, asked.digest, asked.topic, asked.correlation,
             self._clock(), asked.deadline, size),
        ).lastrowid  # fmt: skip
        self._db.execute("INSERT INTO papers VALUES (?, ?, NULL)", (position, asked.body))
        return self.get(asked.id)

    # --------------------------------------------------------------- answered

    def waiting(self, after: int = 0) -> Entry | None:
        """The first entry behind position ``after`` that is not answered."""
        return self._first(
            "state = 'asked' AND ledger.position > ? ORDER BY ledger.position", after
        )

    def begin(self, position: int) -> int:
        """Note that an entry is begun, and return how often it now was."""
        with self._commit("NORMAL"):
            self._db.execute("UPDATE ledger SET tries = tries + 1 WHERE position = ?", (position,))
            row = self._db.execute(
                "SELECT tries FROM ledger WHERE position = ?", (position,)
            ).fetchone()
        return int(row[0]) if row else 0

    def fits(self, position: int, size: int) -> bool:
        """Whether there is room for an entry's answer; from then on it is kept for it.

        What was reserved is there; more is there once what came before is delivered (:meth:`Room.extend`).

        Args:
            position: Of an entry.
            size: Bytes of its answer.

        Raises:
            OutputError: The disk refuses.
        """
        with self._lock:
            row = self._waits(position)
            if row is None or row[0] + size <= row[1]:
                return True
            with self._commit("NORMAL"):
                return self._room.extend(position, row[0] + size - row[1])

    def _waits(self, position: int) -> tuple[int, int] | None:
        """Bytes of the request, and of it with what is reserved; None where it is answered."""
        found: tuple[int, int] | None = self._db.execute(
            "SELECT length(body), size FROM ledger JOIN papers USING (position) "
            "WHERE position = ? AND state = ?",
            (position, ASKED),
        ).fetchone()
        return found

    def answer(self, position: int, answer: bytes, content_type: str, code: str = "") -> bool:
        """Give an entry its answer, unless it has one. ``code`` is empty for a result.

        Returns:
            Whether this is the answer: False where there was one.

        Raises:
            OutputError: The disk refuses. The entry is as it was.
        """
        return self.answer_all([Answered(position, answer, content_type, code)])[0]

    def answer_all(self, answers: Sequence[Answered]) -> list[bool]:
        """The same for several, in one commit.

        Raises:
            OutputError: The disk refuses. All entries are as they were.
        """
        with self._commit("FULL"):
            return [self._answer(each) for each in answers]

    def _answer(self, given: Answered) -> bool:
        row = self._waits(given.position)
        if row is None:
            return False
        size = row[0] + len(given.answer)
        self._db.execute(
            "UPDATE ledger SET state = ?, content_type = ?, code = ?, answered = ?, size = ? "
            "WHERE position = ?",
            (ANSWERED, given.content_type, given.code, self._clock(), size, given.position),
        )
        self._db.execute(
            "UPDATE papers SET answer = ? WHERE position = ?", (given.answer, given.position)
        )
        self._room.size += size - row[1]
        return True

    # -------------------------------------------------------------- delivered

    def undelivered(self, most: int = 1, size: int = 2**20) -> list[Entry]:
        """The answers that the bus is owed next, in order, up to the first entry without one.

        Args:
            most: Answers, at most.
            size: Bytes of answers, at most; the first is given whatever its size.
        """
        found: list[Entry] = []
        with self._lock:
            # One row at a time, so that a large answer is not read before it is known to fit.
            while len(found) < most:
                entry = self._first(
                    "state IN ('asked', 'answered') AND road = 'mqtt' AND ledger.position > ? "
                    "ORDER BY ledger.position",
                    found[-1].position if found else 0,
                )
                if entry is None or entry.state == ASKED:
                    break
                found.append(entry)
                size -= len(entry.answer or b"")
                if size <= 0:
                    break
        return found

    def delivered(self, positions: Sequence[int], *, arrived: bool = True) -> None:
        """Note that answers have arrived; the first note of each counts.

        Args:
            positions: Of the entries, in the order of their arrival.
            arrived: False for answers that are given up, because the broker will never take them.
        """
        order = "(SELECT coalesce(max(delivery), 0) + 1 FROM ledger)" if arrived else "NULL"
        with self._commit("NORMAL"):
            for position in positions:
                self._db.execute(
                    f"UPDATE ledger SET state = ?, delivered = ?, delivery = {order} "
                    "WHERE position = ? AND state = ?",
                    (DELIVERED, self._clock(), position, ANSWERED),
                )

    # ---------------------------------------------------------------- sensors

    def keep_sensor(self, name: str, body: bytes, begun: float) -> None:
        """Keep what a virtual sensor replays, so that it goes on after a restart."""
        with self._commit("FULL"):
            self._db.execute("REPLACE INTO sensors VALUES (?, ?, ?)", (name, body, begun))

    def drop_sensor(self, name: str) -> bool:
        """Forget a virtual sensor; False where there was none."""
        with self._commit("FULL"):
            return self._db.execute("DELETE FROM sensors WHERE name = ?", (name,)).rowcount > 0

    def sensors(self) -> list[tuple[str, bytes, float]]:
        """Name, request and begin of every virtual sensor."""
        with self._lock:
            return list(self._db.execute("SELECT name, body, begun FROM sensors ORDER BY begun"))

    # ------------------------------------------------------------------ views

    def get(self, name: str) -> Entry:
        """The entry of an id.

        Raises:
            MessageError: ``unknown``: there is none.
        """
        found = self._first("id = ?", name)
        if found is None:
            raise MessageError(
                f"transaction {name} is unknown; it must be in the ledger", codes.UNKNOWN
            )
        return found

    def counts(self) -> dict[str, int]:
        """Entries by state, and ``bytes`` in use or reserved."""
        with self._lock:
            rows = self._db.execute("SELECT state, count(*) FROM ledger GROUP BY state").fetchall()
        return {ASKED: 0, ANSWERED: 0, DELIVERED: 0, **dict(rows), "bytes": self._room.size}

    def _first(self, where: str, *values: object) -> Entry | None:
        try:
            with self._lock:
                row = self._db.execute(f"SELECT {_ENTRY} WHERE {where} LIMIT 1", values).fetchone()
        except sqlite3.Error as error:
            raise OutputError(
                f"{self.path}: {error}; it must be readable", path=self.path
            ) from error
        return None if row is None else Entry(*row)

    @contextlib.contextmanager
    def _commit(self, synchronous: str) -> Iterator[None]:
        with self._lock:
            kept = self._room.size, self._room.rows
            try:
                self._db.execute(f"PRAGMA synchronous = {synchronous}")
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                self._room.size, self._room.rows = kept
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise OutputError(
                        f"{self.path}: {error}; nothing was written", path=self.path
                    ) from error
                raise
