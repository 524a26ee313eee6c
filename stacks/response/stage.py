"""One stage: plan its steps, start those that ask nobody, then follow them while the next stage begins."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from firebreak.core.plan import Stage
from stacks.response.task import BRISK, IDENTIFIERS, PERSISTENT, STEP, question, task

START_LIMIT = 30
"""Seconds after which a stage stops waiting for a step to start."""
TOGETHER = 10
"""Steps of a stage that are started at once."""


@dataclass(frozen=True)
class Callees:
    """The functions that the state machine calls, and how many seconds each may take.

    Attributes:
        question_minutes: how long an answer is waited for; the backstop behind the approval's own expiry.
    """

    plan: lambda_.IFunction
    ask: lambda_.IFunction
    execute: lambda_.IFunction
    execute_destructive: lambda_.IFunction
    close: lambda_.IFunction
    plan_limit: int
    execute_limit: int
    close_limit: int
    question_minutes: int


def item() -> dict[str, object]:
    """Return what a step is known by inside a Map."""
    return {
        **IDENTIFIERS,
        # an undo also takes back the steps of incidents that were merged into this one
        "incident": sfn.JsonPath.string_at("$$.Map.Item.Value.incident"),
        "step": sfn.JsonPath.string_at("$$.Map.Item.Value.step"),
        "ask": sfn.JsonPath.object_at("$$.Map.Item.Value.ask"),
        "destructive": sfn.JsonPath.object_at("$$.Map.Item.Value.destructive"),
    }


class StageStates:
    """The states of one stage.

    Args:
        scope: the state machine's scope.
        stage: which one.
        callees: what they call.
        rest: the next stage, which begins while this one's steps are followed; None after the last.
    """

    def __init__(self, scope: Construct, stage: Stage, callees: Callees, rest: StageStates | None) -> None:
        self._scope = scope
        self._stage = stage
        self._word = stage.capitalize()
        self._callees = callees
        self.first = self._chain(rest)

    def _chain(self, rest: StageStates | None) -> sfn.IChainable:
        plan = task(
            self._scope,
            f"Plan{self._word}",
            self._callees.plan,
            {"operation": "stage", "stage": self._stage},
            result="$.plan",
            timeout=self._callees.plan_limit,
        )
        start = sfn.Map(
            self._scope,
            f"Start{self._word}",
            items_path="$.plan.steps",
            item_selector=item(),
            max_concurrency=TOGETHER,
            result_path="$.plan.steps",
        ).item_processor(self._start())
        # A stage that cannot be planned must not keep the others from being run; Close records its steps as failed.
        plan.add_catch(
            sfn.Pass(
                self._scope,
                f"Without{self._word}",
                result=sfn.Result.from_object({"steps": []}),
                result_path="$.plan",
            ).next(start),
            result_path=sfn.JsonPath.DISCARD,
        )
        follow = sfn.Map(
            self._scope, f"Follow{self._word}", items_path="$.plan.steps", result_path=sfn.JsonPath.DISCARD
        ).item_processor(Followed(self._scope, self._word, self._callees).first)
        if rest is None:
            return plan.next(start).next(follow)
        beside = sfn.Parallel(self._scope, f"Beside{self._word}", result_path=sfn.JsonPath.DISCARD)
        return plan.next(start).next(beside.branch(follow).branch(rest.first))

    def _start(self) -> sfn.IChainable:
        """One call for a step that asks nobody; whatever comes of it, the step is followed afterwards."""
        later = sfn.Pass(
            self._scope,
            f"Later{self._word}",
            result=sfn.Result.from_object({"status": "again", "after": 1}),
            result_path="$.run",
        )
        asked = sfn.Pass(
            self._scope,
            f"Asked{self._word}",
            result=sfn.Result.from_object({"status": "ask"}),
            result_path="$.run",
        )
        start = task(
            self._scope,
            f"StartStep{self._word}",
            self._callees.execute,
            {**STEP, "operation": "run"},
            result="$.run",
            timeout=START_LIMIT,
            retries=BRISK,
        )
        start.add_catch(later, result_path=sfn.JsonPath.DISCARD)
        return (
            sfn.Choice(self._scope, f"Asks{self._word}")
            .when(
                sfn.Condition.or_(
                    sfn.Condition.boolean_equals("$.ask", True), sfn.Condition.boolean_equals("$.destructive", True)
                ),
                asked,
            )
            .otherwise(start)
        )


class Followed:
    """The states that see one step through: ask, run until settled, secure what failed.

    Args:
        scope: the state machine's scope.
        word: what their names end in.
        callees: what they call.
        undo: whether steps are taken back, which asks nobody and destroys nothing.

    Attributes:
        first: where they begin.
    """

    def __init__(self, scope: Construct, word: str, callees: Callees, *, undo: bool = False) -> None:
        self._scope = scope
        self._word = word
        self._callees = callees
        self._done = sfn.Succeed(scope, f"Done{word}")
        self._settled = sfn.Choice(scope, f"Settled{word}")
        execute = self._run("Execute", callees.execute)
        role: sfn.IChainable = execute
        if not undo:
            role = (
                sfn.Choice(scope, f"Destroys{word}")
                .when(
                    sfn.Condition.boolean_equals("$.destructive", True),
                    self._run("ExecuteDestructive", callees.execute_destructive),
                )
                .otherwise(execute)
            )
        wait = sfn.Wait(scope, f"Wait{word}", time=sfn.WaitTime.seconds_path("$.run.after"))
        wait.next(role)
        self._settled.when(sfn.Condition.string_equals("$.run.status", "settled"), self._done)
        if not undo:
            self._settled.when(sfn.Condition.string_equals("$.run.status", "ask"), self._ask(role))
        self._settled.otherwise(wait)
        self.first: sfn.IChainable = execute if undo else self._settled

    def _ask(self, then: sfn.IChainable) -> sfn.IChainable:
        """Whatever is answered, or not answered: Execute reads the approval from the table."""
        ask = question(self._scope, f"Ask{self._word}", self._callees.ask, minutes=self._callees.question_minutes)
        ask.add_catch(then, result_path=sfn.JsonPath.DISCARD)
        return ask.next(then)

    def _run(self, name: str, function: lambda_.IFunction) -> sfn.IChainable:
        run = task(
            self._scope,
            f"{name}{self._word}",
            function,
            {**STEP, "operation": "run"},
            result="$.run",
            timeout=self._callees.execute_limit,
        )
        secure = task(
            self._scope,
            f"{name.replace('Execute', 'Secure')}{self._word}",
            function,
            {**STEP, "operation": "secure"},
            result=None,
            timeout=self._callees.execute_limit,
            retries=PERSISTENT,
        )
        # Entering this state raises the alarm on steps that may have been left open.
        open_ = sfn.Pass(self._scope, f"{name.replace('Execute', 'Unsecured')}{self._word}")
        run.add_catch(secure, result_path=sfn.JsonPath.DISCARD)
        secure.add_catch(open_.next(self._done), result_path=sfn.JsonPath.DISCARD)
        secure.next(self._done)
        return run.next(self._settled)
