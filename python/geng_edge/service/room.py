"""Room in the outbox: its bounds on rows and bytes, and what is let go when a request needs more.

What is let go is promise 5 of :mod:`geng_edge.service.outbox`. A request reserves room for its answer when it
is admitted, so that an answer is never lost to a full outbox; where there is none, the request is refused
(``busy``), and where there never will be, too (``too_large``). An answer that turns out larger than what was
reserved waits for those before it to be delivered (:meth:`Room.extend`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import final

from geng_edge.errors import MessageError
from geng_edge.service.entries import ANSWERED, ASKED, DELIVERED, HTTP, Bounds
from geng_edge.wire import codes

_DROP_AT_A_TIME = 64


@final
class Room:
    """What the ledger holds, kept within bounds.

    Every method but :meth:`most_pages` is a part of a transaction of the outbox, which puts ``size`` and
    ``rows`` back where it fails.

    Attributes:
        size: Bytes of requests and answers in the ledger, reserved room included.
        rows: Its entries.
    """

    def __init__(self, db: sqlite3.Connection, bounds: Bounds, clock: Callable[[], float]) -> None:
        self.size = self.rows = 0
        self._db = db
        self._bounds = bounds
        self._clock = clock

    def most_pages(self, page: int) -> int:
        """Pages of ``page`` bytes that the file may have.

        A last wall behind the bounds, generous for indices and half-filled pages.
        """
        bounds = self._bounds
        return (2 * bounds.size + 4096 * min(bounds.rows, 10_000)) // page + 256

    def count(self) -> None:
        """Read from the ledger what is in use."""
        self.size, self.rows = self._db.execute(
            "SELECT coalesce(sum(size), 0), count(*) FROM ledger"
        ).fetchone()

    def take(self, size: int) -> MessageError | None:
        """Take a row and ``size`` bytes for a new request and its answer, or say why not."""
        bounds = self._bounds
        (waiting,) = self._db.execute(
            "SELECT count(*) FROM ledger WHERE state = ?", (ASKED,)
        ).fetchone()
        if waiting >= bounds.waiting:
            return MessageError(
                f"{waiting} requests wait; there must be fewer than {bounds.waiting}: ask again later",
                codes.BUSY,
            )
        if size > bounds.size:
            return MessageError(
                f"request and answer are up to {size} bytes; they must be at most "
                f"{bounds.size}, which is all that the outbox holds",
                codes.TOO_LARGE,
            )
        if not (self._make_room(size) and self._make_row()):
            return MessageError(
                f"the outbox holds {self.size} bytes of {bounds.size} that are not delivered; "
                f"this request needs {size}: ask again later",
                codes.BUSY,
            )
        self.size += size
        self.rows += 1
        return None

    def extend(self, position: int, more: int) -> bool:
        """Give an entry ``more`` bytes than it reserved.

        They are there once what came before is delivered: then they are given even beyond the bound, which is
        thus kept but for one answer, since nothing else would make room.

        Returns:
            Whether they were given.
        """
        if (
            not self._make_room(more)
            and self._db.execute(
                "SELECT 1 FROM ledger WHERE state IN (?, ?) AND position < ? LIMIT 1",
                (ASKED, ANSWERED, position),
            ).fetchone()
        ):
            return False
        self._db.execute("UPDATE ledger SET size = size + ? WHERE position = ?", (more, position))
        self.size += more
        return True

    def _make_room(self, size: int) -> bool:
        """Drop the oldest delivered answers until ``size`` bytes fit."""
        self._db.execute(
            "UPDATE ledger SET state = ?, delivered = ? WHERE state = ? AND road = ? AND answered < ?",
            (DELIVERED, self._clock(), ANSWERED, HTTP, self._clock() - self._bounds.uncollected),
        )
        while self.size + size > self._bounds.size:
            dropped = self._db.execute(
                "SELECT position, size FROM ledger WHERE state = 'delivered' AND kept = 1 "
                "ORDER BY position LIMIT ?",
                (_DROP_AT_A_TIME,),
            ).fetchall()
            if not dropped:
                return False
            for position, freed in dropped:
                self._db.execute(
                    "UPDATE ledger SET kept = 0, size = 0 WHERE position = ?", (position,)
                )
                self._db.execute("DELETE FROM papers WHERE position = ?", (position,))
                self.size -= freed
        return True

    def _make_row(self) -> bool:
        """Drop the oldest delivered entries until another fits."""
        while self.rows >= self._bounds.rows:
            oldest = self._db.execute(
                "SELECT position, size FROM ledger WHERE state = ? ORDER BY position LIMIT 1",
                (DELIVERED,),
            ).fetchone()
            if oldest is None:
                return False
            for table in ("ledger", "papers"):
                self._db.execute(f"DELETE FROM {table} WHERE position = ?", oldest[:1])
            self.size -= oldest[1]
            self.rows -= 1
        return True
