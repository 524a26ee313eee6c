"""Runs side by side: every interleaving with one switch, and wrong versions that show in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reliability.fault import Misfortune
from reliability.mutants import MUTANTS
from reliability.run import Outcome, play
from reliability.suites import interleaved
from reliability.together import CASTS, story, variants


def broken(played: Iterator[tuple[Misfortune, Outcome]]) -> list[str]:
    return [f"{outcome.violations[0]}: {misfortune.story}" for misfortune, outcome in played if outcome.violations]


@pytest.mark.parametrize("cast", CASTS)
def test_whoever_moves_first_and_wherever_the_other_comes_in_the_invariants_hold(folder: str, cast: str) -> None:
    played = list(interleaved(cast, folder))
    assert len(played) > 8
    assert broken(iter(played)) == []


def test_whichever_of_two_runs_dies_the_invariants_hold(folder: str) -> None:
    played = list(interleaved("twice", folder, switches=1, deaths=1))
    assert sum(any(map(str.isupper, misfortune.story)) for misfortune, _ in played) > 40
    assert broken(iter(played)) == []


@pytest.mark.parametrize(
    ("mutant", "cast", "invariant"),
    [
        ("no-lease", "twice", "I4"),
        ("no-condition", "twice undo", "I8"),
        ("late-response", "twice undo", "I9"),
        ("unfenced-halt", "halt", "I10"),
        ("unheld-mode", "observe", "I10"),
    ],
)
def test_a_wrong_version_shows_in_some_interleaving_which_plays_again(
    folder: str, mutant: str, cast: str, invariant: str
) -> None:
    with MUTANTS[mutant].put_in():
        shown = next(
            (misfortune, violation)
            for misfortune, outcome in interleaved(cast, folder)
            for violation in outcome.violations
            if violation.startswith(invariant)
        )
        assert shown[1] in play(shown[0], folder).violations
    assert play(shown[0], folder).violations == ()


def test_a_variant_differs_in_its_last_move_and_keeps_within_its_bounds() -> None:
    moves = [("a", "ab"), ("a", "ab"), ("b", "b")]
    assert set(variants(moves, 0, switches=0, deaths=0)) == {"b"}
    assert set(variants(moves, 0, switches=1, deaths=0)) == {"b", "ab"}
    assert set(variants(moves, 1, switches=1, deaths=0)) == {"ab"}
    assert set(variants(moves, 0, switches=0, deaths=1)) == {"b", "A", "B", "aA", "aaB"}


@pytest.mark.parametrize("name", ["together nobody:a", "together twice", "together twice:abc"])
def test_a_name_that_stands_for_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="together"):
        story(name)
