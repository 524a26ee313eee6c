"""The pages say what the templates say."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping

from firebreak.core.plan import STAGES
from stacks.response.task import BRISK, LAMBDA_ERRORS, PATIENT, PERSISTENT
from tests.architecture.test_architecture_page import rows
from tests.architecture.tree import ROOT
from tests.stacks.asl import states
from tests.stacks.template import Template, text

IN_THE_SANDBOX = {"FIREBREAK_SLACK_API", "FIREBREAK_CONFIG"}
"""Variables that no deployed function has."""

KEPT = {"AWS::DynamoDB::Table": "table", "AWS::S3::Bucket": "bucket", "AWS::KMS::Key": "key"}
"""What the page calls the types of what a stack leaves behind."""


def words(cell: str) -> set[str]:
    return {word.strip() for word in cell.split(",")}


def test_the_page_has_every_variable_of_every_function(estate: Mapping[str, Template]) -> None:
    templates: dict[str, set[str]] = defaultdict(set)
    for function in estate["firebreak-response"].all("AWS::Lambda::Function").values():
        word = "".join(part.capitalize() for part in function["FunctionName"].removeprefix("firebreak-").split("-"))
        for variable in function["Environment"]["Variables"]:
            templates[variable].add(word)
    page = {row[0].strip("`"): words(row[1]) for row in rows("Environment of the functions")}
    assert page == templates | {variable: {"none"} for variable in IN_THE_SANDBOX}


def test_the_page_has_every_function(estate: Mapping[str, Template]) -> None:
    functions = {
        "".join(part.capitalize() for part in function["FunctionName"].removeprefix("firebreak-").split("-"))
        for function in estate["firebreak-response"].all("AWS::Lambda::Function").values()
    }
    assert {word for row in rows("Functions") for word in words(row[0])} == functions


def test_the_page_has_every_task_of_the_machine(estate: Mapping[str, Template]) -> None:
    machine = json.loads(text(estate["firebreak-response"].one("AWS::StepFunctions::StateMachine")["DefinitionString"]))
    tasks = {name for name, state in states(machine).items() if state["Type"] == "Task"}
    ends = "|".join((*(stage.capitalize() for stage in STAGES), "Undo"))
    by_stage = {re.sub(f"(?<=[a-z])({ends})$", "<Stage>", name) if name != "PlanUndo" else name for name in tasks}
    said = [row for row in rows("The state machine") if "operation" in row[1]]
    assert {re.sub(r" \(.*", "", word) for row in said for word in words(row[0].replace("`", ""))} == by_stage


def test_the_page_has_the_bounds_of_every_retry() -> None:
    said = {(row[1].split(",")[0].strip("` "), row[2], row[3]) for row in rows("The state machine") if "×" in row[2]}
    bounds = {
        (
            {LAMBDA_ERRORS[0]: "Lambda's own", "States.ALL": "everything"}.get(errors[0], errors[0]),
            f"{by['interval']} s, ×{by['rate']}, {by['longest']} s",
            str(by["attempts"]),
        )
        for retries in (PATIENT, BRISK, PERSISTENT)
        for errors, by in retries.items()
    }
    assert said == bounds


def test_the_pages_say_what_a_stack_leaves_behind(estate: Mapping[str, Template]) -> None:
    kept = {
        KEPT[resource["Type"]]
        for template in estate.values()
        for resource in template.body["Resources"].values()
        if resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
    }
    assert kept == set(KEPT.values())
    for page in ("README.md", "docs/deploying.md"):
        _, said = (ROOT / page).read_text(encoding="utf-8").split(" behind", 1)
        assert all(f" {word}" in said for word in kept)


def test_the_page_names_the_stacks(estate: Mapping[str, Template]) -> None:
    page = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    table = set(re.findall(r"^\| `(firebreak-\w+)` \|", page, re.MULTILINE))
    assert table == {"-".join(name.split("-")[:2]) for name in estate}
