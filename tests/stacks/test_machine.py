"""Respond, as it is synthesized: well-formed, patient, and never past a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from firebreak.core.plan import STAGES
from tests.stacks.asl import mistakes, nested, states, targets
from tests.stacks.template import Template, text

IDENTIFIERS = {"incident", "revision", "mode", "attempt", "execution"}
FURTHER = {"operation", "stage", "step", "token"}


@pytest.fixture(scope="module")
def machine(response: Template) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(text(response.one("AWS::StepFunctions::StateMachine")["DefinitionString"]))
    return definition


@pytest.fixture(scope="module")
def every(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return states(machine)


def tasks(every: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: state for name, state in every.items() if state["Type"] == "Task"}


def payload(state: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = state["Parameters"].get("Payload", state["Parameters"])
    return found


def called(response: Template, state: dict[str, Any]) -> str:
    where = state["Parameters"].get("FunctionName", state["Resource"])
    id = where.removeprefix("<").removesuffix(".Arn>")
    return str(response.all("AWS::Lambda::Function")[id]["FunctionName"]).removeprefix("firebreak-")


def test_the_definition_is_well_formed(machine: dict[str, Any]) -> None:
    assert mistakes(machine) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda machine: machine["States"]["Mode"].pop("Default"), "Mode has no default"),
        (lambda machine: machine["States"]["Close"].update(Next="Nowhere"), "there is no state Nowhere"),
        (lambda machine: machine["States"].update(Lost={"Type": "Succeed"}), "Lost cannot be reached"),
        (lambda machine: machine["States"]["Close"].pop("End"), "Close has to go on or to end"),
    ],
)
def test_the_check_of_definitions_finds_what_is_wrong(machine: dict[str, Any], change: Any, said: str) -> None:
    broken = json.loads(json.dumps(machine))
    change(broken)
    assert any(said in mistake for mistake in mistakes(broken))


def test_it_stays_with_what_every_interpreter_knows(machine: dict[str, Any]) -> None:
    assert machine.get("QueryLanguage", "JSONPath") == "JSONPath"
    assert not any("Assign" in state for state in states(machine).values())
    assert {inner.get("ProcessorConfig", {}).get("Mode", "INLINE") for inner in nested(machine)} == {"INLINE"}


def test_every_task_has_a_time_limit_bounded_retries_and_a_catch(every: dict[str, dict[str, Any]]) -> None:
    for name, state in tasks(every).items():
        assert state["TimeoutSeconds"] > 0, name
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        assert {
            (retry["MaxAttempts"] <= 20, retry["BackoffRate"] > 1, retry["JitterStrategy"]) for retry in state["Retry"]
        } == {(True, True, "FULL")}, name
        errors = [error for retry in state["Retry"] for error in retry["ErrorEquals"]]
        assert len(errors) == len(set(errors)), name
        assert {"Throttled", "Conflict", "Lambda.TooManyRequestsException", "Sandbox.Timedout"} <= set(errors), name


def test_a_task_that_somebody_depends_on_waits_out_a_lease(every: dict[str, dict[str, Any]]) -> None:
    """A run that died holds its lease until its function would have timed out, and 15 seconds more."""
    limit = 120 + 15
    for name, state in tasks(every).items():
        if name.startswith("Execute"):
            (held,) = [retry for retry in state["Retry"] if retry["ErrorEquals"] == ["Held"]]
            interval, rate, longest = held["IntervalSeconds"], held["BackoffRate"], held["MaxDelaySeconds"]
            waits = [min(interval * rate**attempt, longest) for attempt in range(held["MaxAttempts"])]
            assert sum(waits) / 2 > limit, f"{name}: full jitter waits half of the bound on average"


def test_only_identifiers_travel(every: dict[str, dict[str, Any]]) -> None:
    for name, state in tasks(every).items():
        given = {key.removesuffix(".$") for key in payload(state)}
        assert given >= IDENTIFIERS, name
        assert given <= IDENTIFIERS | FURTHER, name
    for state in every.values():
        if "ItemSelector" in state:
            given = {key.removesuffix(".$") for key in state["ItemSelector"]}
            assert given == {"incident", "revision", "mode", "attempt", "step", "ask", "destructive"}


def test_what_a_run_is_called_is_its_executions_name(every: dict[str, dict[str, Any]]) -> None:
    assert {payload(state)["execution.$"] for state in tasks(every).values()} == {"$$.Execution.Name"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_planned_started_and_followed_while_the_next_one_begins(
    every: dict[str, dict[str, Any]], stage: str
) -> None:
    word = stage.capitalize()
    plan, start = every[f"Plan{word}"], every[f"Start{word}"]
    assert (payload(plan)["operation"], payload(plan)["stage"], plan["ResultPath"]) == ("stage", stage, "$.plan")
    assert plan["Next"] == f"Start{word}"
    assert start["ItemsPath"] == start["ResultPath"] == "$.plan.steps"
    if stage == STAGES[-1]:
        assert start["Next"] == f"Follow{word}"
        return
    following = STAGES[STAGES.index(stage) + 1].capitalize()
    beside = every[start["Next"]]
    assert beside["Type"] == "Parallel"
    assert [branch["StartAt"] for branch in beside["Branches"]] == [f"Follow{word}", f"Plan{following}"]
    assert beside["ResultPath"] is None


def test_the_way_through_is_decide_the_stages_in_their_order_close(machine: dict[str, Any]) -> None:
    top = machine["States"]
    assert top["Mode"]["Choices"][0] == {"Variable": "$.mode", "StringEquals": "respond", "Next": "Decide"}
    assert top["Decide"]["Next"] == "Proceed"
    assert top["Proceed"]["Choices"][0]["Next"] == f"Plan{STAGES[0].capitalize()}"
    assert top["Proceed"]["Default"] == "Close"
    assert top[f"Beside{STAGES[0].capitalize()}"]["Next"] == "Close"
    assert top["Close"]["End"] is True


def test_a_stage_that_cannot_be_planned_does_not_keep_the_others(every: dict[str, dict[str, Any]]) -> None:
    for stage in STAGES:
        word = stage.capitalize()
        (catch,) = every[f"Plan{word}"]["Catch"]
        without = every[catch["Next"]]
        assert (without["Result"], without["ResultPath"]) == ({"steps": []}, "$.plan")
        assert without["Next"] == f"Start{word}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_start_of_a_stage_waits_for_nobody(every: dict[str, dict[str, Any]], stage: str) -> None:
    word = stage.capitalize()
    inside = every[f"Start{word}"]["ItemProcessor"]["States"]
    assert {state["Type"] for state in inside.values()} == {"Choice", "Pass", "Task"}
    (start,) = [state for state in inside.values() if state["Type"] == "Task"]
    assert start["TimeoutSeconds"] <= 30
    assert "States.Timeout" not in [error for retry in start["Retry"] for error in retry["ErrorEquals"]]
    later = inside[start["Catch"][0]["Next"]]
    assert later["Result"] == {"status": "again", "after": 1}
    asks = inside[every[f"Start{word}"]["ItemProcessor"]["StartAt"]]
    assert {condition["Variable"] for condition in asks["Choices"][0]["Or"]} == {"$.ask", "$.destructive"}


def test_every_catch_of_an_execution_leads_to_secure(every: dict[str, dict[str, Any]], response: Template) -> None:
    names = [name for name in every if name.startswith("Execute")]
    assert len(names) == 2 * len(STAGES) + 1
    for name in names:
        (catch,) = every[name]["Catch"]
        secure = every[catch["Next"]]
        assert payload(secure)["operation"] == "secure"
        assert payload(secure)["step.$"] == "$.step"
        assert called(response, secure) == called(response, every[name])
        assert catch["ResultPath"] is None


def test_secure_is_not_given_up_for_hours_and_its_failure_has_a_state_to_be_counted_by(
    every: dict[str, dict[str, Any]],
) -> None:
    for name in [name for name in every if name.startswith("Secure")]:
        (last,) = [retry for retry in every[name]["Retry"] if retry["ErrorEquals"] == ["States.ALL"]]
        waits = [min(last["IntervalSeconds"] * 2**attempt, 900) for attempt in range(last["MaxAttempts"])]
        assert sum(waits) > 3600
        assert every[name]["Retry"][-1] is last
        assert every[name]["Catch"][0]["Next"].startswith("Unsecured")


@pytest.mark.parametrize("stage", STAGES)
def test_destructive_steps_run_only_behind_a_question(
    every: dict[str, dict[str, Any]], response: Template, stage: str
) -> None:
    """Every way through a step's states to the destructive function passes the question, but for those that have
    waited: they have passed it before."""
    word = stage.capitalize()
    follow = every[f"Follow{word}"]["ItemProcessor"]
    start = every[f"Start{word}"]["ItemProcessor"]
    destructive = {name for name, state in tasks(every).items() if called(response, state) == "execute-destructive"}
    assert not destructive & start["States"].keys()
    ask, wait = f"Ask{word}", f"Wait{word}"
    open_ways, seen = {follow["StartAt"]}, set()
    while open_ways:
        name = open_ways.pop()
        assert name not in destructive
        if name not in seen and name not in (ask, wait):
            seen.add(name)
            open_ways |= targets(follow["States"][name])
    assert destructive & follow["States"].keys()


def test_what_was_not_asked_waits_under_the_status_that_leads_to_the_question(every: dict[str, dict[str, Any]]) -> None:
    for stage in STAGES:
        word = stage.capitalize()
        assert every[f"Asked{word}"]["Result"] == {"status": "ask"}
        settled = every[f"Settled{word}"]
        assert [(choice["StringEquals"], choice["Next"]) for choice in settled["Choices"]] == [
            ("settled", f"Done{word}"),
            ("ask", f"Ask{word}"),
        ]
        assert every[settled["Default"]]["SecondsPath"] == "$.run.after"


def test_whatever_becomes_of_a_question_execute_reads_the_table(every: dict[str, dict[str, Any]]) -> None:
    for stage in STAGES:
        word = stage.capitalize()
        ask = every[f"Ask{word}"]
        assert ask["Resource"].endswith(":lambda:invoke.waitForTaskToken")
        assert payload(ask)["token.$"] == "$$.Task.Token"
        assert ask["ResultPath"] is None
        assert ask["Next"] == ask["Catch"][0]["Next"] == f"Destroys{word}"
        assert ask["TimeoutSeconds"] > 60 * 60, "the question's own expiry comes first"
        assert "States.Timeout" not in [error for retry in ask["Retry"] for error in retry["ErrorEquals"]]


def test_undo_takes_the_steps_back_one_by_one_and_asks_nobody(
    every: dict[str, dict[str, Any]], response: Template
) -> None:
    undo = every["UndoEach"]
    assert undo["MaxConcurrency"] == 1
    inside = states(undo["ItemProcessor"])
    assert {called(response, state) for state in tasks(inside).values()} == {"execute"}
    assert undo["ItemProcessor"]["StartAt"] == "ExecuteUndo"
    assert undo["Next"] == "Close"


def test_the_machine_is_watched_and_its_logs_hold_no_payload(response: Template) -> None:
    machine = response.one("AWS::StepFunctions::StateMachine")
    assert machine.get("StateMachineType", "STANDARD") == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert (machine["LoggingConfiguration"]["Level"], machine["LoggingConfiguration"]["IncludeExecutionData"]) == (
        "ALL",
        False,
    )
