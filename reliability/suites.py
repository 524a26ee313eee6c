"""The suites of the memory world: which misfortunes are played, over which stories."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import combinations, groupby, product

import hypothesis

from reliability import honest, sandboxed, together
from reliability.fault import HARD, KINDS, Fault, Kind, Misfortune, pairs, singles
from reliability.found import Converging, Found
from reliability.histories import drawn
from reliability.mutants import MUTANTS
from reliability.orders import orders
from reliability.reach import reached
from reliability.run import Outcome, play, tell
from reliability.stories import STORIES
from reliability.together import Stage

CORE = "only"
"""The story of the core path, on which combinations are exhausted."""

Tick = Callable[[], None]


def calm(folder: str) -> dict[str, Outcome]:
    """Play every story without a fault."""
    return {name: play(Misfortune(name), folder) for name in STORIES}


def single_faults(folder: str, stories: Iterable[str] = STORIES, kinds: Iterable[Kind] = KINDS) -> Iterator[Misfortune]:
    """Every kind of fault at every call of every story."""
    wanted = tuple(kinds)
    for name in stories:
        for faults in singles(play(Misfortune(name), folder).calls, wanted):
            yield Misfortune(name, faults)


def double_faults(folder: str, stories: Iterable[str] = (CORE,)) -> Iterator[Misfortune]:
    """Every two hard faults at two calls."""
    for name in stories:
        for faults in pairs(play(Misfortune(name), folder).calls, HARD):
            yield Misfortune(name, faults)


def triple_faults(folder: str) -> Iterator[Misfortune]:
    """Every three hard faults between the first call of Execute and its last, on the core path.

    A process that is gone before a call is not among them: it is gone after the one before.
    """
    sites = play(Misfortune(CORE), folder).sites
    calls = [call for call, site in enumerate(sites, 1) if site.startswith("execute ")]
    kinds = [kind for kind in HARD if kind != "kill_before"]
    for places in combinations(range(calls[0], calls[-1] + 1), 3):
        for three in product(kinds, repeat=3):
            yield Misfortune(CORE, tuple(map(Fault, places, three)))


def close_faults(folder: str, stories: Iterable[str] = STORIES) -> Iterator[Misfortune]:
    """What is not known is read in vain, what is refused is closed in vain: an answer that is lost and a refusal soon
    after it, a refusal and throttling soon after it."""
    rows: tuple[tuple[Kind, Kind, int], ...] = (("timeout_after", "deny", 3), ("deny", "reject", 4))
    for name in stories:
        for call in range(1, play(Misfortune(name), folder).calls + 1):
            for first, second, within in rows:
                for later in range(1, within + 1):
                    yield Misfortune(name, (Fault(call, first), Fault(call + later, second)))


def sampled(folder: str, number: int, seed: int, faults: int = 3) -> Iterator[Misfortune]:
    """Several faults of any kind at calls drawn at random, in stories drawn at random."""
    drawn = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    calls = {name: outcome.calls for name, outcome in calm(folder).items()}
    for _ in range(number):
        name = drawn.choice(list(STORIES))
        places = sorted(drawn.sample(range(1, calls[name] + 1), faults))
        yield Misfortune(name, tuple(Fault(place, drawn.choice(KINDS)) for place in places), seed)


def broken_orders(folder: str, number: int, seed: int, faults: int = 2) -> Iterator[Misfortune]:
    """Orders of deliveries drawn at random, with faults of any kind at calls drawn at random."""
    drawn = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    every = [misfortune.story for _, misfortune in orders(number, seed)]
    for story in drawn.choices(every, k=number):
        calls = play(Misfortune(story), folder).calls
        places = sorted(drawn.sample(range(1, calls + 1), faults))
        yield Misfortune(story, tuple(Fault(place, drawn.choice(KINDS)) for place in places), seed)


def interleaved(cast: str, folder: str, switches: int = 1, deaths: int = 0) -> Iterator[tuple[Misfortune, Outcome]]:
    """Play every interleaving of a cast.

    Args:
        switches: how often at most another moves though the last one could.
        deaths: how many die at most.
    """
    waiting = [""]
    while waiting:
        letters = waiting.pop()
        misfortune = Misfortune(f"{together.PREFIX}{cast}:{letters}")
        stages: list[Stage] = []
        yield misfortune, tell(together.story(misfortune.story, stages.append), misfortune, folder)
        waiting.extend(together.variants(stages[0].moves, len(letters), switches, deaths))


def histories(examples: int, words: int, seed: int, folder: str) -> Found:
    """Play histories that hypothesis draws, and make the shortest it can of one in which something does not hold.

    Args:
        words: how many a history has at most.
    """
    found = Found("whole histories, drawn")
    shortest: list[tuple[str, Misfortune]] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.given(drawn(words))
    def hold(story: str) -> None:
        outcome = play(Misfortune(story), folder)
        found.add(Misfortune(story), replace(outcome, violations=()))
        if outcome.violations:
            shortest[:] = [(violation, Misfortune(story)) for violation in outcome.violations]
            raise AssertionError

    try:
        hold()
    except AssertionError:
        found.violations = shortest
    return found


def searched(words: int, folder: str) -> Found:
    """Play every history of a few words, as `reliability.reach` has them."""
    found = Found("short histories, every one")
    for misfortune, outcome, _ in reached(folder, words):
        found.add(misfortune, outcome)
    return found


def converging(limit: int, seed: int) -> Converging:
    """Return what is to collect the orders of deliveries, which are the keys of its `sets`."""
    return Converging("orders of deliveries", sets={misfortune: events for events, misfortune in orders(limit, seed)})


def run(suite: str, misfortunes: Iterable[Misfortune], folder: str, tick: Tick = lambda: None) -> Found:
    """Play misfortunes and collect what did not hold."""
    found = Found(suite)
    for misfortune in misfortunes:
        found.add(misfortune, play(misfortune, folder))
        tick()
    return found


def catch(name: str, folder: str, misfortunes: Iterable[Misfortune], tick: Tick = lambda: None) -> Caught | None:
    """Play misfortunes with a mutant in, until one of them shows it; None where none does."""
    mutant = MUTANTS[name]
    for number, misfortune in enumerate(misfortunes, 1):
        ((_, outcome),) = replay([replace(misfortune, without=name)], folder)
        tick()
        shown = [violation for violation in outcome.violations if violation.split()[0] in mutant.caught_by]
        if shown:
            return Caught(name, number, shown[0], replace(misfortune, without=name))
    return None


@dataclass(frozen=True)
class Caught:
    """How a mutant was caught.

    Attributes:
        mutant: its name.
        runs: how many runs it took.
        violation: what it broke.
        plan: replays it.
    """

    mutant: str
    runs: int
    violation: str
    plan: Misfortune


def replay(misfortunes: Iterable[Misfortune], folder: str) -> Iterator[tuple[Misfortune, Outcome]]:
    """Play misfortunes in the worlds of their stories, each with its mutant in where it names one."""
    for mutant, some in groupby(misfortunes, lambda misfortune: misfortune.without):
        with MUTANTS[mutant].put_in() if mutant else nullcontext():
            for prefix, of_world in groupby(some, _world):
                if prefix in WORLDS:
                    yield from WORLDS[prefix](of_world)
                else:
                    yield from ((misfortune, play(misfortune, folder)) for misfortune in of_world)


WORLDS: dict[str, Callable[[Iterable[Misfortune]], Iterator[tuple[Misfortune, Outcome]]]] = {
    sandboxed.WORLD: sandboxed.play_all,
    honest.PREFIX: honest.play_all,
}
"""Who plays the stories of each world but the one in memory, by the beginnings of their names."""


def _world(misfortune: Misfortune) -> str:
    return next((prefix for prefix in WORLDS if misfortune.story.startswith(prefix)), "")


def likeliest(folder: str, name: str) -> Iterator[Misfortune]:
    """Where a mutant shows if it does: its stories in calm, then, of those in memory, with single faults of its kind,
    then of any."""
    mutant = MUTANTS[name]
    for story in mutant.stories:
        yield Misfortune(story)
    told = [story for story in mutant.stories if story in STORIES]
    yield from single_faults(folder, told, (mutant.kind,))
    yield from single_faults(folder, told)
