"""Runs side by side, call by call: every interleaving of a few of them, with few switches, and with one of them killed.

Several move at once: runs of the same step, an undo, a person's command. Each is a thread, and one alone moves at a
time, up to its next call; which one is written down, a letter a move. In "aabA" the first starts and makes one call,
the second starts, and then the first dies instead of making its next. After the letters whoever moved last goes on
until it is done, and then the next. So a story is called "together ", the cast, ":" and such letters.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reliability.memory import MemoryWorld
from reliability.telling import ASK, ONLY, PERSON, Story, answered, come, released
from sandbox.invocation import Killed, Result, current

PREFIX = "together "
Part = Callable[[MemoryWorld, Any], None]
"""One of those that move: does its calls; takes the event of the run that the others come beside."""


@dataclass(frozen=True)
class Cast:
    """Who moves side by side.

    Attributes:
        what: in words.
        others: those beside the run that the state machine has just started.
        mode: of that run: the first one of its kind.
        before, after: what happens in the story ahead of it, and once all of them are done.
        undone: whether it ends with everything taken back.
    """

    what: str
    others: tuple[Part, ...]
    mode: str = "respond"
    before: tuple[Callable[[MemoryWorld], None], ...] = (come(ONLY),)
    after: tuple[Callable[[MemoryWorld], None], ...] = ()
    undone: bool = False


class Stage:
    """Lets one thread at a time move, in the order of the letters.

    Args:
        letters: who moves next, from the first move on.

    Attributes:
        moves: who moved, and who could have.
    """

    def __init__(self, letters: str) -> None:
        self.moves: list[tuple[str, str]] = []
        self._letters = letters
        self._go: dict[str, threading.Semaphore] = {}
        self._back = threading.Semaphore(0)
        self._who = threading.local()
        self._done = ""
        self._dying = False
        self._failed: BaseException | None = None

    def play(self, parts: Mapping[str, Callable[[], None]]) -> None:
        """Move them all until they are done.

        Raises:
            BaseException: whatever ends the world itself, as a runaway does.
        """
        threads = [threading.Thread(target=self._run, args=part, daemon=True) for part in parts.items()]
        self._go = {letter: threading.Semaphore(0) for letter in parts}
        for thread in threads:
            thread.start()
        last = ""
        while alive := "".join(letter for letter in parts if letter not in self._done):
            letter = self._letters[len(self.moves) : len(self.moves) + 1]
            if not letter or letter.lower() not in alive:
                letter = last if last and last in alive else alive[0]
            self.moves.append((letter, alive))
            self._dying, last = letter.isupper(), letter.lower()
            self._go[last].release()
            self._back.acquire()
        for thread in threads:
            thread.join()
        if self._failed is not None:
            raise self._failed

    def call(self, send: Callable[[], Any]) -> Any:
        """Make a call when it is this thread's turn, or die in its stead; at once where no thread of ours makes it."""
        letter = getattr(self._who, "letter", "")
        if letter:
            self._back.release()
            self._go[letter].acquire()
            invocation = current()
            if self._dying and invocation is not None:
                invocation.dead = True
                raise Killed(invocation.function_name)
        return send()

    def _run(self, letter: str, part: Callable[[], None]) -> None:
        self._who.letter = letter
        self._go[letter].acquire()
        try:
            part()
        except BaseException as error:  # noqa: BLE001 - it belongs to who plays this
            self._failed = error
        self._done += letter
        self._back.release()


def again(world: MemoryWorld, event: Any) -> None:
    """The same run is started once more."""
    world.functions.invoke("firebreak-execute", event)


def undo(world: MemoryWorld, event: Any) -> None:
    """A person takes it back: the incident is fenced, and the step undone."""
    of = {key: event[key] for key in ("incident", "revision")}
    of |= {"mode": "undo", "attempt": 1, "execution": f"{event['incident']}-r{event['revision']}-undo-a1"}
    world.functions.invoke("firebreak-plan", {**of, "operation": "undo"})
    world.functions.invoke("firebreak-execute", {**of, "step": event["step"], "operation": "run"})


def close(world: MemoryWorld, event: Any) -> None:
    """An attempt of the execution that broke off is closed."""
    world.functions.invoke("firebreak-close", {**event, "operation": "close"})


def sweep(world: MemoryWorld, event: Any) -> None:
    """Sweep comes by its schedule."""
    world.functions.invoke("firebreak-sweep", {"detail-type": "Scheduled Event"})


def halt(world: MemoryWorld, event: Any) -> None:
    """A person throws the kill switch."""
    world.incidents().set_halt(True, PERSON, world.clock.now())


def observe(world: MemoryWorld, event: Any) -> None:
    """A person sets the mode to observe."""
    world.incidents().set_mode("observe", PERSON, world.clock.now())


CASTS: dict[str, Cast] = {
    "twice": Cast("two runs of one step", (again,)),
    "undo": Cast("a run and an undo", (undo,), after=(released,), undone=True),
    "twice undo": Cast("two runs of one step and an undo", (again, undo), after=(released,), undone=True),
    "undo twice": Cast(
        "two runs of an undo", (again,), mode="undo", before=(come(ONLY), released), after=(released,), undone=True
    ),
    "late": Cast(
        "a run of an undo, and one that was to contain",
        (lambda world, event: again(world, {**event, "mode": "respond"}),),
        mode="undo",
        before=(come(ONLY), released),
        after=(released,),
        undone=True,
    ),
    "close": Cast("a run, and the end of an execution that broke off", (close,)),
    "sweep": Cast("a run, and Sweep", (sweep,)),
    "asked": Cast(
        "two runs of a step that a person agreed to", (again,), before=(come(ASK), answered("approve")), mode="respond"
    ),
    "halt": Cast("a run, and the kill switch", (halt,)),
    "observe": Cast("a run, and the mode observe", (observe,)),
    "halt undo": Cast("a run, the kill switch and an undo", (halt, undo), after=(released,), undone=True),
}
"""Every cast by name."""


def story(name: str, told: Callable[[Stage], None] = lambda stage: None) -> Story:
    """Return the story of a cast and letters.

    Args:
        name: "together ", the cast, ": " and the letters.
        told: is told of the stage once it is over.

    Raises:
        ValueError: it is no such name.
    """
    cast_name, colon, letters = name.removeprefix(PREFIX).partition(":")
    letters = letters.strip()
    if cast_name not in CASTS or not colon:
        raise ValueError(f"no story is called {name!r}")
    cast, stage = CASTS[cast_name], Stage(letters)
    names = "abcdef"[: len(cast.others) + 1]
    if not set(letters.lower()) <= set(names):
        raise ValueError(f"{name!r}: its letters are {', '.join(names)}")

    def play(world: MemoryWorld) -> None:
        invoke, serve = world.functions.invoke, world.serve
        world.serve = lambda *call: stage.call(lambda: serve(*call))  # type: ignore[method-assign]

        def first(function: str, event: Any) -> Result:
            ours = world.functions.find(function).name == "firebreak-execute" and event["mode"] == cast.mode
            if stage.moves or not ours:
                return invoke(function, event)
            answers: list[Result] = []
            parts: dict[str, Callable[[], None]] = {"a": lambda: answers.append(invoke(function, event))}
            for letter, other in zip(names[1:], cast.others, strict=True):
                parts[letter] = lambda other=other: other(world, event)  # type: ignore[misc]
            stage.play(parts)
            return answers[0]

        world.functions.invoke = first  # type: ignore[assignment, method-assign]
        for part in (*cast.before, *cast.after):
            part(world)
        told(stage)

    return Story(play, undone=cast.undone)


def variants(moves: list[tuple[str, str]], given: int, switches: int, deaths: int) -> Iterator[str]:
    """Yield the letters that differ from what was played, at one move after those that were given.

    Args:
        moves: who moved, and who could have.
        given: how many of them had been given.
        switches: how often another may move though the last one could, at most.
        deaths: how many may die, at most.
    """
    letters = "".join(letter for letter, _ in moves)
    for place in range(given, len(moves)):
        _, alive = moves[place]
        for other in (*alive, *alive.upper()):
            made = letters[:place] + other
            if other != letters[place] and _switches(made, moves) <= switches and sum(map(str.isupper, made)) <= deaths:
                yield made


def _switches(letters: str, moves: list[tuple[str, str]]) -> int:
    pairs = zip(letters, letters[1:], (alive for _, alive in moves[1:]), strict=False)
    return sum(before.lower() != after.lower() and before.lower() in alive for before, after, alive in pairs)
