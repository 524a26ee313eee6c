"""Work that waits: generators whose waits are effects on the clock.

A generator yields an effect, is resumed with its value (or with its StateError), and yields the next. Branches of one
execution interleave, in the same order on every run.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeAlias

from sandbox.clock import Clock
from sandbox.paths import StateError

Resume: TypeAlias = Callable[[Any], None]
"""Called once with the value of an effect, or with a StateError."""

Cancel: TypeAlias = Callable[[], None]
Effect: TypeAlias = Callable[[Resume], Cancel]
"""Begins something and calls `resume` when it is over; returns how to give up on it."""

Steps: TypeAlias = Generator[Effect, Any, Any]


class Flow:
    """Runs a generator to its end.

    Args:
        steps: the generator.
        done: called with what it returned, or with the StateError that it raised.
    """

    def __init__(self, steps: Steps, done: Resume) -> None:
        self._steps = steps
        self._done = done
        self._give_up: Cancel = lambda: None
        self._over = False

    def start(self) -> None:
        """Run up to the first wait."""
        self._go(None)

    def cancel(self) -> None:
        """Stop for good; `done` is not called."""
        if not self._over:
            self._over = True
            self._give_up()
            self._steps.close()

    def _go(self, value: Any) -> None:
        if self._over:
            return
        try:
            effect = self._steps.throw(value) if isinstance(value, StateError) else self._steps.send(value)
        except StopIteration as end:
            self._over = True
            self._done(end.value)
            return
        except StateError as error:
            self._over = True
            self._done(error)
            return
        resumed = False

        def resume(answer: Any) -> None:
            nonlocal resumed
            if not resumed:
                resumed = True
                self._go(answer)

        give_up = effect(resume)
        if not resumed:
            self._give_up = give_up


def sleep(clock: Clock, seconds: float) -> Effect:
    """Wait on the clock."""

    def begin(resume: Resume) -> Cancel:
        return clock.after(seconds, lambda: resume(None)).cancel

    return begin


def limited(clock: Clock, effect: Effect, seconds: float | None, error: str) -> Effect:
    """Give up on an effect after a time, with an error."""
    if seconds is None:
        return effect

    def begin(resume: Resume) -> Cancel:
        over = False
        cause = f"took longer than {seconds:g} seconds"

        def finish(value: Any) -> None:
            nonlocal over
            if not over:
                over = True
                timer.cancel()
                # What ran in virtual time may come back before the timer was looked at, and still be late.
                resume(StateError(error, cause) if clock.now() > timer.due else value)

        def late() -> None:
            give_up()
            finish(StateError(error, cause))

        timer = clock.after(seconds, late, deadline=True)
        give_up = effect(finish)

        def cancel() -> None:
            timer.cancel()
            give_up()

        return cancel

    return begin


def together(branches: Sequence[Callable[[], Steps]], at_once: int) -> Effect:
    """Run branches beside each other, `at_once` at most (0: all). The first that fails stops the others."""

    def begin(resume: Resume) -> Cancel:
        results: list[Any] = [None] * len(branches)
        waiting = list(range(len(branches)))
        active: dict[int, Flow] = {}
        over = False

        def cancel() -> None:
            nonlocal over
            over = True
            for flow in list(active.values()):
                flow.cancel()

        def launch() -> None:
            while waiting and not over and (not at_once or len(active) < at_once):
                number = waiting.pop(0)
                active[number] = Flow(branches[number](), lambda value, number=number: ended(number, value))  # type: ignore[misc]
                active[number].start()

        def ended(number: int, value: Any) -> None:
            active.pop(number, None)
            if over:
                return
            if isinstance(value, StateError):
                cancel()
                resume(value)
                return
            results[number] = value
            launch()
            if not active and not waiting and not over:
                cancel()
                resume(results)

        launch()
        if not branches:
            resume([])
        return cancel

    return begin
