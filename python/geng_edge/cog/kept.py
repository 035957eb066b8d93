"""Answers kept on disk, so that a task that was asked once can be drawn with the cloud gone.

Each is a file that holds the message as it came; it is read under the rules of the wire again, and what
breaks one counts as not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from geng_edge import cache, files
from geng_edge.errors import GengError, OutputError
from geng_edge.wire.condition import MOST_ANSWER_BYTES, Accepted, read_reply

MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Kept:
    """An answer from the disk.

    Attributes:
        reply: As it came.
        age: Seconds since it came.
    """

    reply: Accepted
    age: float


class Answers:
    """A folder of answers, by task, model and seed; the least lately used go first.

    Args:
        folder: Where; None keeps nothing.
        most: Bytes of all files together.
    """

    def __init__(self, folder: Path | None, most: int = MOST_BYTES) -> None:
        self.folder, self.most = folder, most

    @classmethod
    def at_home(cls) -> Answers:
        """In ``answers`` of :func:`geng_edge.cache.folder`."""
        home = cache.folder()
        return cls(home / "answers" if home is not None else None)

    def recall(self, task: str, fingerprint: str, seed: int) -> Kept | None:
        """The answer to a task for a model of this f; None where none is kept."""
        path = self._path(task, fingerprint, seed)
        if path is None:
            return None
        try:
            came = path.stat()
            if came.st_size > MOST_ANSWER_BYTES:
                return None
            reply = read_reply(path.read_bytes())
            if not isinstance(reply, Accepted) or reply.answer.task != task:
                return None
            reply.check_model(fingerprint)
            os.utime(path, (time.time(), came.st_mtime))  # when it was used, beside when it came
        except (OSError, GengError):
            return None
        return Kept(reply, max(0.0, time.time() - came.st_mtime))

    def keep(self, reply: Accepted, seed: int) -> None:
        """Keep an answer; a folder that cannot be written keeps nothing."""
        path = self._path(reply.answer.task, reply.fingerprint, seed)
        if path is None:
            return
        with contextlib.suppress(OSError, OutputError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with files.whole(path) as file:
                file.write(reply.to_bytes())
            self._shrink()

    def _path(self, task: str, fingerprint: str, seed: int) -> Path | None:
        if self.folder is None:
            return None
        key = "\n".join((fingerprint, str(seed), task)).encode("utf-8", "surrogatepass")
        return self.folder / f"{hashlib.sha256(key).hexdigest()}.json"

    def _shrink(self) -> None:
        assert self.folder is not None
        found = [(entry.stat(), entry) for entry in self.folder.glob("*.json")]
        total = sum(facts.st_size for facts, _ in found)
        for facts, entry in sorted(found, key=lambda pair: pair[0].st_atime):
            if total <= self.most:
                return
            entry.unlink(missing_ok=True)
            total -= facts.st_size
