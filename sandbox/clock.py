"""The one clock of the sandbox and the work that waits for it.

Everything that happens by itself (a queue being polled, a state that waits, a retry, a schedule) is a timer here, so
that a test decides when time passes and the same run always takes the same order.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)
_MOST_STEPS = 500_000


class NeverIdle(RuntimeError):
    """The sandbox kept itself busy for far too long: something sends itself messages or polls without waiting."""


@dataclass(order=True)
class Timer:
    """Something to do at a time.

    Attributes:
        due: when.
        number: order among timers due at the same time.
        deadline: whether it only bounds something else's waiting (a timeout, a schedule). `run_until_idle` never jumps
            ahead to a deadline.
    """

    due: datetime
    number: int
    action: Callable[[], None] = field(compare=False)
    deadline: bool = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Make it never happen."""
        self.cancelled = True


class Clock:
    """Virtual time, or wall time that may skip idle waits.

    Args:
        start: what time it is at first; the real time if None.
        wall: whether real time passes too.
        patience: with `wall`, the real seconds that an idle wait takes at most before it is skipped.
    """

    def __init__(self, start: datetime | None = None, *, wall: bool = False, patience: float = float("inf")) -> None:
        self.wall = wall
        self._patience = patience
        self._base = start or datetime.now(UTC)
        self._origin = time.monotonic()
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition(threading.RLock())
        self._in_flight = 0
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        passed = time.monotonic() - self._origin if self.wall else 0.0
        return self._base + timedelta(seconds=passed)

    def after(self, seconds: float, action: Callable[[], None], *, deadline: bool = False) -> Timer:
        """Have `action` called `seconds` from now."""
        with self._changed:
            timer = Timer(self.now() + timedelta(seconds=seconds), next(self._numbers), action, deadline)
            heapq.heappush(self._timers, timer)
            self._changed.notify_all()
        return timer

    def soon(self, action: Callable[[], None]) -> Timer:
        """Have `action` called after everything that is due already."""
        return self.after(0, action)

    def submit(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Have `work` done beside everything else and `done` called with what it returned, on the clock's thread."""
        if self._pool is None:
            self.soon(lambda: done(work()))
            return
        with self._changed:
            self._in_flight += 1

        def run() -> None:
            try:
                result = work()
                self.soon(lambda: done(result))
            finally:
                with self._changed:
                    self._in_flight -= 1
                    self._changed.notify_all()

        self._pool.submit(_logged, run)

    def drift(self, seconds: float) -> None:
        """Let time pass without running anything: a call that was slow."""
        with self._changed:
            self._base += timedelta(seconds=seconds)
            self._changed.notify_all()  # what waits in the background may be due now

    def advance(self, seconds: float) -> None:
        """Let time pass and run everything that falls due on the way, in order."""
        target = self.now() + timedelta(seconds=seconds)
        for _ in range(_MOST_STEPS):
            timer = self._pop(target)
            if timer is None:
                self._jump(target)
                return
            self._jump(timer.due)
            timer.action()
        raise NeverIdle(f"still busy after {_MOST_STEPS} steps at {self.now()}")

    def run_until_idle(self, within: float = 3600) -> None:
        """Run what is due, and jump ahead to waits that end `within` seconds, until only deadlines are left.

        With a background thread, wait until it has come to that.
        """
        if self._thread is not None:
            with self._changed:
                self._changed.wait_for(lambda: self.idle)
            return
        horizon = self.now() + timedelta(seconds=within)
        for _ in range(_MOST_STEPS):
            work = self._next_work()
            timer = self._pop(self.now()) or (self._pop(work) if work and work <= horizon else None)
            if timer is None:
                return
            self._jump(timer.due)
            timer.action()
        raise NeverIdle(f"still busy after {_MOST_STEPS} steps at {self.now()}")

    @property
    def idle(self) -> bool:
        """Whether only deadlines are left, and nothing runs."""
        with self._changed:
            return not self._in_flight and self._next_work() is None

    def due(self) -> list[datetime]:
        """Return when what waits falls due, deadlines apart."""
        with self._changed:
            return [timer.due for timer in self._timers if not timer.deadline and not timer.cancelled]

    def start(self, workers: int = 8) -> None:
        """Let real time pass and run everything in the background from now on (the demo, benchmarks)."""
        if not self.wall:
            self.wall, self._origin = True, time.monotonic()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="sandbox-function")
        self._thread = threading.Thread(target=self._run, name="sandbox-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the background thread and forget everything that waits."""
        with self._changed:
            self._stopping = True
            self._timers.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        if self._pool is not None:
            self._pool.shutdown()

    def _run(self) -> None:
        idle_since = time.monotonic()
        while True:
            with self._changed:
                if self._stopping:
                    return
                timer = self._pop(self.now())
                if timer is None:
                    work = self._next_work()
                    waited = time.monotonic() - idle_since
                    if work and not self._in_flight and waited >= self._patience:
                        self._jump(work)
                        continue
                    left = (self._timers[0].due - self.now()).total_seconds() if self._timers else 60.0
                    if work and not self._in_flight:
                        left = min(left, self._patience - waited)
                    self._changed.wait(max(0.0, left))
                    continue
                self._in_flight += 1
            _logged(timer.action)
            idle_since = time.monotonic()
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def _pop(self, until: datetime) -> Timer | None:
        with self._changed:
            while self._timers and (self._timers[0].cancelled or self._timers[0].due <= until):
                timer = heapq.heappop(self._timers)
                if not timer.cancelled:
                    return timer
        return None

    def _next_work(self) -> datetime | None:
        with self._changed:
            return min((t.due for t in self._timers if not t.deadline and not t.cancelled), default=None)

    def _jump(self, to: datetime) -> None:
        with self._changed:
            self._base += max(timedelta(), to - self.now())


def _logged(action: Callable[[], None]) -> None:
    """Run on a thread of ours. Nobody is there to catch: a defect of the sandbox is told, and the clock goes on."""
    try:
        action()
    except Exception:  # noqa: BLE001  the last frame of a thread: what is raised here would vanish with it
        _log.exception("sandbox: %r failed", action)
