"""A model of consent: every interleaving of votes, expiry, withdrawal, use, crashes and undo, searched breadth-first.

The moves are the product's own pure rules (`firebreak.core.approval`, `firebreak.core.tally`); the model adds time, the
writes that are conditional on a version, and who may come between a read and its write.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from firebreak.core import approval as rules
from firebreak.core.approval import Approval, Choice, Question, Vote
from firebreak.core.errors import NoConsent
from firebreak.core.tally import count

START = datetime(2026, 11, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
TIMES = tuple(START + hours * HOUR for hours in range(4))
"""Asked; a vote is still taken; the expiry; the deadline of use."""
DIGEST = "d" * 64
PEOPLE, EXCLUDED = ("ana", "ben"), "eve"
HOLDERS = ("first", "second")


@dataclass(frozen=True)
class Rules:
    """The rules that are searched; wrong versions replace some."""

    objection: Callable[[Approval, Vote], str | None] = rules.objection
    count: Callable[[Approval, Sequence[Vote], datetime], Approval] = count
    redeem: Callable[[Approval, str, str, datetime], Approval] = rules.redeem
    fences: bool = True
    conditional: bool = True


@dataclass(frozen=True)
class State:
    """Where everything stands.

    Attributes:
        hour: index into TIMES.
        votes: those taken.
        written: writes of two functions, made up from what they read, at which version, and yet to arrive.
        fenced: whether an undo was begun.
        ran: the executions that began the step, in order, and when.
    """

    approval: Approval
    hour: int = 0
    votes: tuple[Vote, ...] = ()
    written: tuple[tuple[int, Approval], ...] = ()
    fenced: bool = False
    ran: tuple[tuple[str, int, bool], ...] = ()


@dataclass
class Search:
    """What a search came to: how many states and transitions, and what did not hold."""

    states: int = 0
    transitions: int = 0
    violations: set[str] = field(default_factory=set)


def search(quorum: int = 2, by: Rules = Rules()) -> Search:
    """Visit every state that can be reached, the nearest first, up to what does not hold."""
    first = State(
        Approval(
            id="a" * 32,
            incident="inc-1",
            revision=1,
            step="step",
            effect="reversible",
            environment="other",
            question=Question(action="act", severity="HIGH", reversible=True, what="it", where="here"),
            digest=DIGEST,
            quorum=quorum,
            excluded=frozenset({EXCLUDED}),
            created_at=START,
            expires_at=TIMES[2],
            exec_deadline=TIMES[3],
        )
    )
    found, seen, waiting = Search(), {first}, deque([first])
    while waiting and not found.violations:
        state = waiting.popleft()
        for after in _moves(state, by):
            found.transitions += 1
            found.violations.update(_broken(state, after))
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    found.states = len(seen)
    return found


def _moves(state: State, by: Rules) -> Iterator[State]:
    now, approval = TIMES[state.hour], state.approval
    if state.hour + 1 < len(TIMES):
        yield replace(state, hour=state.hour + 1)
    for person in (*PEOPLE, EXCLUDED):
        for choice in ("approve", "deny"):
            vote = _vote(person, choice, now)
            if all(each.person != person for each in state.votes) and by.objection(approval, vote) is None:
                yield replace(state, votes=(*state.votes, vote))
    for index, (version, after) in enumerate(state.written):
        rest = state.written[:index] + state.written[index + 1 :]
        yield replace(state, written=rest)  # a crash: it never arrives
        if version == approval.version or not by.conditional:
            yield replace(state, approval=replace(after, version=approval.version + 1), written=rest)
    if len(state.written) < 2:
        for made in _made(state, by, now):
            if made is not approval:
                yield replace(state, written=(*state.written, (approval.version, made)))
    if not state.fenced:
        yield replace(state, fenced=True)
    may_run = not (state.fenced and by.fences)
    if may_run and approval.status == "redeemed" and approval.holder is not None and len(state.ran) < 2:
        yield replace(state, ran=(*state.ran, (approval.holder, state.hour, state.fenced)))


def _made(state: State, by: Rules, now: datetime) -> Iterator[Approval]:
    yield by.count(state.approval, state.votes, now)
    if state.fenced:
        yield rules.withdraw(state.approval, "cancelled", "firebreak", "undone", now)
    for holder in HOLDERS:
        try:
            yield by.redeem(state.approval, DIGEST, holder, now)
        except NoConsent:
            continue


def _vote(person: str, choice: Choice, at: datetime) -> Vote:
    return Vote(approval="a" * 32, person=person, choice=choice, digest=DIGEST, route="iam", principal=person, at=at)


def _broken(before: State, after: State) -> Iterator[str]:
    was, now = before.approval, after.approval
    if was.status != now.status and now.status not in rules.MOVES[was.status]:
        yield f"I8 from {was.status} to {now.status}"
    if was.holder is not None and now.holder != was.holder:
        yield "I13 used by two"
    if now.status == "approved" != was.status:
        yes = {vote.person for vote in after.votes if vote.choice == "approve" and vote.at < now.expires_at}
        if len(yes - now.excluded) < now.quorum:
            yield "I2 approved by too few"
    late = len(after.votes) > len(before.votes) and after.votes[-1].at >= now.expires_at
    if late:
        yield "I13 a vote was taken after the expiry"
    if len(after.written) > len(before.written):
        made = after.written[-1][1]
        if made.status == "redeemed" and TIMES[after.hour] >= made.exec_deadline:
            yield "I13 used after its deadline"
    if after.ran != before.ran:
        if now.status != "redeemed":
            yield "I2 ran without consent"
        if before.fenced:
            yield "I8 ran after an undo was begun"
