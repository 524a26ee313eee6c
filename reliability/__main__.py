"""`python -m reliability`: play every suite, print what it came to, and write it into the page.

`python -m reliability --replay PLAN` plays one fault plan again, as a failing run has printed it. Exit codes: 0 all
invariants hold and every mutant was caught, 1 they do not, 2 the plan cannot be read.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from itertools import islice
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reliability import honest, page, sandboxed
from reliability.coverage import Reached
from reliability.fault import Misfortune
from reliability.found import Found
from reliability.mutants import MUTANTS
from reliability.naming import named
from reliability.run import Outcome, blueprint, config
from reliability.stories import STORIES
from reliability.suites import (
    Caught,
    broken_orders,
    calm,
    catch,
    close_faults,
    converging,
    double_faults,
    histories,
    interleaved,
    likeliest,
    replay,
    sampled,
    searched,
    single_faults,
    triple_faults,
)
from reliability.together import CASTS

T = TypeVar("T")

CHUNK = 100
SEED = 20261126
ORDERS = 500
"""Orders of one set of events that are played; of a set that has more, so many are drawn."""
HISTORIES, WORDS = 250, 30
"""Histories that are drawn with one seed, and words that one has at most."""
_folder = ""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Single faults of two stories and a small sample; writes no page.")
@click.option("--replay", "plan", metavar="PLAN", help="Play one fault plan again and say what does not hold.")
def main(quick: bool, plan: str | None) -> None:
    """Break the pipeline at every call, in every way, and hold it against its invariants."""
    console = Console()
    sys.exit(_again(plan, console) if plan is not None else _all(quick, console))


def _again(text: str, console: Console) -> int:
    try:
        misfortune = Misfortune.read(text)
        _named(misfortune.story)
        if misfortune.without not in ("", *MUTANTS):
            raise ValueError("no such mutant")
    except ValueError as error:
        console.print(f"--replay: {error}; give the plan as a failing run has printed it", style="red", markup=False)
        return 2
    with config() as folder:
        ((_, outcome),) = replay([misfortune], folder)
    for fault in misfortune.faults:
        site = outcome.sites[fault.call - 1] if fault.call <= len(outcome.sites) else "never reached"
        console.print(f"{fault.kind} at call {fault.call}: {site}", markup=False)
    for violation in outcome.violations:
        console.print(violation, style="red", markup=False)
    console.print(
        f"{outcome.calls} calls, {len(outcome.violations)} violations; ended as {outcome.converged}", markup=False
    )
    return 1 if outcome.violations else 0


def _named(story: str) -> None:
    if story.startswith(honest.PREFIX):
        sandboxed.named(sandboxed.WORLD + story.removeprefix(honest.PREFIX))
    elif story.startswith(sandboxed.WORLD):
        sandboxed.named(story)
    else:
        named(story)


def _all(quick: bool, console: Console) -> int:
    begun = time.monotonic()
    blueprint()  # synthesized once, before the workers start
    with config() as folder, ProcessPoolExecutor(os.cpu_count(), initializer=_start, initargs=(folder,)) as pool:
        stories = ("only", "undo") if quick else tuple(STORIES)
        told, shaped = calm(folder), sandboxed.calm()
        suites: dict[str, Iterable[Misfortune]] = {
            "one fault, every kind at every call": single_faults(folder, stories),
            "two faults, exhaustive on the core path": () if quick else double_faults(folder),
            "two faults close together, in every story": () if quick else close_faults(folder),
            "three faults, exhaustive where the core path contains": () if quick else triple_faults(folder),
            "three faults, sampled": sampled(folder, 200 if quick else 6_000, SEED),
            "two faults amid orders of deliveries, sampled": broken_orders(folder, 50 if quick else 3_000, SEED),
            "one fault in the sandbox, every kind at every call": islice(
                sandboxed.single_faults(shaped), 0, None, 50 if quick else 1
            ),
            "processes in the sandbox that are killed": honest.kills(2 if quick else 20, SEED),
        }
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            found = [_suite(Found(name), misfortunes, pool, progress) for name, misfortunes in suites.items()]
            short = [pool.submit(_timed, _search, 3 if quick else 6)]  # level by level, hence in one worker
            found.append(_side_by_side(1 if quick else 2, pool, progress))
            lived = [pool.submit(_timed, _live, SEED + number) for number in range(1 if quick else 8)]
            found.append(_joined("whole histories, drawn", lived, progress))
            found.append(_joined("short histories, every one", short, progress))
            alike = converging(20 if quick else ORDERS, SEED)
            found.append(_suite(alike, alike.sets, pool, progress))
            caught = _mutants(pool, progress)
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    calls = sum(outcome.calls for outcome in (*told.values(), *shaped.values()))
    places = {place for outcome in (*told.values(), *shaped.values()) for place in outcome.places}
    reached = Reached.by(places.union(*(suite.places for suite in found)))
    result = page.Result(tuple(found), caught, reached, calls, spent, time.monotonic() - begun)
    page.show(result, console)
    if not quick:
        page.write(result)
    return 0 if result.clean else 1


def _suite(found: Found, misfortunes: Iterable[Misfortune], pool: ProcessPoolExecutor, progress: Progress) -> Found:
    chunks = list(_chunks(misfortunes))
    task = progress.add_task(found.suite, total=sum(map(len, chunks)))
    for future in as_completed([pool.submit(_timed, _play, chunk) for chunk in chunks]):
        progress.advance(task, _counted(found, future.result()))
    return found


def _counted(found: Found, played: tuple[Sequence[tuple[Misfortune, Outcome]], float]) -> int:
    runs, cpu = played
    for misfortune, outcome in runs:
        found.add(misfortune, outcome)
    found.cpu += cpu
    return len(runs)


def _side_by_side(switches: int, pool: ProcessPoolExecutor, progress: Progress) -> Found:
    found = Found("runs side by side, every interleaving")
    task = progress.add_task(found.suite, total=len(CASTS))
    for future in as_completed([pool.submit(_timed, _interleave, cast, switches) for cast in CASTS]):
        _counted(found, future.result())
        progress.advance(task)
    return found


def _joined(suite: str, parts: list[Future[tuple[Found, float]]], progress: Progress) -> Found:
    whole = Found(suite)
    task = progress.add_task(whole.suite, total=len(parts))
    for future in as_completed(parts):
        part, cpu = future.result()
        whole.join(part)
        whole.cpu += cpu
        progress.advance(task)
    return whole


def _mutants(pool: ProcessPoolExecutor, progress: Progress) -> dict[str, Caught | None]:
    task = progress.add_task("mutants", total=len(MUTANTS))
    futures = {name: pool.submit(_catch, name) for name in MUTANTS}
    caught: dict[str, Caught | None] = {}
    for name, future in futures.items():
        caught[name] = future.result()
        progress.advance(task)
    return caught


def _chunks(misfortunes: Iterable[Misfortune]) -> Iterator[list[Misfortune]]:
    rest = iter(misfortunes)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


# In the workers.


def _start(folder: str) -> None:
    global _folder  # noqa: PLW0603 - a worker process belongs to one run
    _folder = folder
    gc.freeze()  # the modules are here to stay: looking through them again and again takes a tenth of each run
    gc.set_threshold(50_000, 20, 20)


def _timed(play: Callable[..., T], *arguments: Any) -> tuple[T, float]:
    """Return what comes of it, and the seconds of CPU that it took."""
    begun = time.process_time()
    return play(*arguments), time.process_time() - begun


def _play(misfortunes: list[Misfortune]) -> list[tuple[Misfortune, Outcome]]:
    return list(replay(misfortunes, _folder))


def _interleave(cast: str, switches: int) -> list[tuple[Misfortune, Outcome]]:
    few = len(CASTS[cast].others) == 1  # where there are three, none is killed: there are interleavings enough
    return list(interleaved(cast, _folder, switches, deaths=1 if few and switches > 1 else 0))


def _live(seed: int) -> Found:
    return histories(HISTORIES, WORDS, seed, _folder)


def _search(words: int) -> Found:
    return searched(words, _folder)


def _catch(name: str) -> Caught | None:
    return catch(name, _folder, likeliest(_folder, name))


if __name__ == "__main__":
    main()
