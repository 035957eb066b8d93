"""The worker: the one thread that samples. It takes entries from the ledger in their order."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from geng_edge.errors import CancelledError, GengError, MessageError, OutputError
from geng_edge.generator import Progress
from geng_edge.service.answers import JSON, Answers, encode, refusal
from geng_edge.service.ask import Ask, Limits
from geng_edge.service.entries import ASKED, MOST_TRIES, Answered, Entry
from geng_edge.service.metrics import Metrics
from geng_edge.service.outbox import Outbox
from geng_edge.wire import codes

log = logging.getLogger("geng_edge.service")

_TURN = 0.5
_MOST_CHORES = 32
#: Seconds between two progress messages of one request.
_PACE = 1.0
_PAUSE_WHEN_FULL = 5.0
# Answers that share a commit where several requests wait: the disk is slower than the model.
_MOST_BATCH, _BATCH_SECONDS, _BATCH_BYTES = 16, 0.05, 2**20

Hear = Callable[[Entry, int, int], None]
Perform = Callable[[Ask, Progress], tuple[bytes, str]]


class Worker:
    """Answers what the ledger holds, in its order.

    A request that was cancelled or has outlived its lifetime is rejected without sampling, or stopped
    between two steps.
    """

    def __init__(
        self,
        outbox: Outbox,
        answers: Answers,
        limits: Limits,
        metrics: Metrics,
        hear: Hear,
        replay: Perform,
    ) -> None:
        """Prepare; :meth:`start` starts.

        Args:
            outbox: The ledger.
            answers: The model.
            limits: To read stored requests with.
            metrics: What happened is counted there.
            hear: Told the progress of a request, once a second at most.
            replay: Answers a request for a virtual sensor.
        """
        self.outbox, self.answers, self.limits, self.metrics = outbox, answers, limits, metrics
        self._hear, self._replay = hear, replay
        #: Called when an entry got its answer.
        self.answered: Callable[[], None] = lambda: None
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._chores: queue.Queue[Callable[[], None]] = queue.Queue(_MOST_CHORES)
        self._cancelled: str | None = None
        self._current: str | None = None
        self._told = threading.Condition()
        self._begun: set[int] = set()
        self.sign = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Begin with whatever the ledger still holds."""
        self._thread.start()

    def stop(self, deadline: float) -> None:
        """Leave the request at hand for the next start; waits ``deadline`` seconds at most."""
        self._stopping.set()
        self._work.set()
        self._thread.join(deadline)

    def alive(self) -> bool:
        """Whether the thread lives and has shown a sign in the last half minute."""
        return self._thread.is_alive() and time.monotonic() - self.sign < 30.0

    def wake(self) -> None:
        """There is something in the ledger."""
        self._work.set()

    def do(self, chore: Callable[[], None]) -> bool:
        """Have something else done between two requests; False where too much of it waits."""
        try:
            self._chores.put_nowait(chore)
        except queue.Full:
            return False
        self._work.set()
        return True

    def cancel(self, name: str) -> bool:
        """Reject a request that is not answered; False where it is.

        Raises:
            MessageError: ``unknown``: there is no such request.
        """
        entry = self.outbox.get(name)
        error = CancelledError(f"request {name} was cancelled")
        if not self._give([self._rejection(entry, error)]):
            return False
        if self._current == name:
            self._cancelled = name
        return True

    def wait(self, name: str, until: float) -> Entry:
        """The entry of an id, once it is answered or ``until`` (of the monotonic clock) has come.

        Raises:
            MessageError: ``unknown``: there is no such request.
        """
        while True:
            with self._told:
                entry = self.outbox.get(name)
                left = until - time.monotonic()
                if entry.state != ASKED or left <= 0 or self._stopping.is_set():
                    return entry
                self._told.wait(min(left, _TURN))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.sign = time.monotonic()
            self._work.clear()  # before the look: what comes after it wakes again
            try:
                if not self._turn():
                    self._work.wait(_TURN)
            except OutputError as error:  # the disk refuses; what is asked stays asked
                log.error("%s", error)
                self._stopping.wait(_PAUSE_WHEN_FULL)
            except Exception:
                log.exception("the worker goes on after a fault")
                self._stopping.wait(_TURN)

    def _turn(self) -> bool:
        """One chore and some requests, in one commit; False where there was neither."""
        self._do_chore()
        answers: list[Answered] = []
        until, size = time.monotonic() + _BATCH_SECONDS, 0
        while len(answers) < _MOST_BATCH and size < _BATCH_BYTES and time.monotonic() < until:
            entry = self.outbox.waiting(answers[-1].position if answers else 0)
            if entry is None:
                break
            self._current, self._cancelled = entry.id, None
            found = self._take(entry)
            if found is not None and not self._fits(found):
                self._give(answers)  # delivered, they make room
                answers = []
                found = self._once_it_fits(entry, found)
            self._current = None
            if found is None:  # stopping
                break
            answers.append(found)
            size += len(found.answer)
        self._give(answers)
        return bool(answers) or not self._chores.empty()

    def _do_chore(self) -> None:
        with contextlib.suppress(queue.Empty):
            self._chores.get_nowait()()

    def _fits(self, found: Answered) -> bool:
        return self.outbox.fits(found.position, len(found.answer))

    def _once_it_fits(self, entry: Entry, found: Answered) -> Answered | None:
        """An answer larger than what was reserved, once others are delivered, or too late for it."""
        while not self._fits(found):
            self.sign = time.monotonic()
            if time.time() > entry.deadline:
                return self._rejection(entry, self._late(entry))
            self._do_chore()
            if self._stopping.wait(_TURN):
                return None
        return found

    def _take(self, entry: Entry) -> Answered | None:
        """The answer to one entry; None where the gateway stops meanwhile."""
        began = time.perf_counter()
        try:
            self._begin(entry)
            payload, content_type = self._perform(entry)
        except CancelledError as error:
            if self._stopping.is_set():
                return None
            late = self._cancelled != entry.id
            return self._rejection(entry, self._late(entry) if late else error)
        except OutputError:
            raise  # of the ledger: what is asked stays asked
        except GengError as error:
            return self._rejection(entry, error)
        except MemoryError:
            fault = "memory is too small for this; it must be less"
            return self._rejection(entry, MessageError(fault, codes.INTERNAL))
        except Exception:
            log.exception("request %s met a fault", entry.id)
            fault = f"request {entry.id} met a fault of the gateway"
            return self._rejection(entry, MessageError(fault, codes.INTERNAL))
        self.metrics.sampled(time.perf_counter() - began)
        return Answered(entry.position, payload, content_type)

    def _begin(self, entry: Entry) -> None:
        if time.time() > entry.deadline:
            raise self._late(entry)
        if entry.position in self._begun:  # in this process: the disk refused its answer
            return
        self._begun.add(entry.position)
        if self.outbox.begin(entry.position) > MOST_TRIES:
            raise MessageError(
                f"request {entry.id} was begun {MOST_TRIES} times and the gateway ended each time; "
                "it is not tried again",
                codes.INTERNAL,
            )

    def _perform(self, entry: Entry) -> tuple[bytes, str]:
        ask = Ask.read(entry.body or b"", self._stored(entry))
        heard = time.monotonic()

        def progress(done: int, steps: int) -> bool:
            nonlocal heard
            self.sign = time.monotonic()
            if self.sign - heard >= _PACE:
                heard = self.sign
                self._hear(entry, done, steps)
            stop = self._stopping.is_set() or self._cancelled == entry.id
            return not stop and time.time() <= entry.deadline

        if ask.replay is not None:
            return self._replay(ask, progress)
        left = entry.deadline - time.time()
        series = self.answers.series(ask, ask.request.seed, left, progress)
        return encode(series, ask.format)

    def _stored(self, entry: Entry) -> Limits:
        """The limits, except of bytes: the ledger's way to write a request may be the longer one."""
        return Limits(len(entry.body or b""), self.limits.values, self.limits.lifetime)

    @staticmethod
    def _late(entry: Entry) -> MessageError:
        return MessageError(
            f"request {entry.id} was not done within its lifetime of "
            f"{entry.deadline - entry.asked:.3g} s; it must be longer",
            codes.EXPIRED,
        )

    @staticmethod
    def _rejection(entry: Entry, error: GengError) -> Answered:
        return Answered(entry.position, refusal(error, entry.id), JSON, error.code)

    def _give(self, answers: Sequence[Answered]) -> bool:
        """Store answers and tell who waits; whether the first of them was taken."""
        if not answers:
            return False
        taken = self.outbox.answer_all(answers)
        self._begun.difference_update(each.position for each in answers)
        for each, was in zip(answers, taken, strict=True):
            if was:
                self.metrics.answered(each.code or "result")
        self.answered()
        with self._told:
            self._told.notify_all()
        return taken[0]
