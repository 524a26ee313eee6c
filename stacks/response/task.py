"""A Task of the state machine: identifiers in, retries by error class, everything else caught."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

IDENTIFIERS: dict[str, Any] = {
    "incident": sfn.JsonPath.string_at("$.incident"),
    "revision": sfn.JsonPath.number_at("$.revision"),
    "mode": sfn.JsonPath.string_at("$.mode"),
    "attempt": sfn.JsonPath.number_at("$.attempt"),
}
EXECUTION: dict[str, Any] = {"execution": sfn.JsonPath.string_at("$$.Execution.Name")}
STEP: dict[str, Any] = {"step": sfn.JsonPath.string_at("$.step")}

Retries: TypeAlias = Mapping[tuple[str, ...], Mapping[str, float]]
"""Per error names: the first interval, the attempts, the rate it grows by, and the longest interval, in seconds."""

LAMBDA_ERRORS = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
]
"""The service's own failures and a function that died; running again is safe, as every function is idempotent."""

PATIENT: Retries = {
    # Held: until the lease of a run that died is over, which outlives its invocation by seconds.
    ("Held",): {"interval": 5, "attempts": 12, "rate": 1.5, "longest": 60},
    # OutOfTime: the run was cut short and goes on where it stopped.
    ("OutOfTime",): {"interval": 1, "attempts": 20, "rate": 1.2, "longest": 10},
    ("Throttled", "Conflict", "Unprepared", "Retriable"): {"interval": 2, "attempts": 10, "rate": 2, "longest": 60},
    (*LAMBDA_ERRORS, "States.Timeout"): {"interval": 2, "attempts": 6, "rate": 2, "longest": 60},
}
"""Bounds and back-off of a call that has to succeed."""

BRISK: Retries = {("Throttled", "Conflict", *LAMBDA_ERRORS): {"interval": 1, "attempts": 2, "rate": 2, "longest": 2}}
"""Of a call that somebody else will make again."""

PERSISTENT: Retries = {
    **PATIENT,
    ("States.ALL",): {"interval": 10, "attempts": 12, "rate": 2, "longest": 900},
}
"""Of a call that must not be given up while there is hope: two hours."""


def task(
    scope: Construct,
    name: str,
    function: lambda_.IFunction,
    payload: dict[str, Any],
    *,
    result: str | None,
    timeout: int,
    retries: Retries = PATIENT,
) -> tasks.LambdaInvoke:
    """Return a Task that calls a function and keeps its answer.

    Args:
        scope, name: the state.
        function: what to call.
        payload: what it gets beyond the identifiers.
        result: where its answer goes, "$.run"; None drops it.
        timeout: seconds after which the call is given up.
        retries: bounds and back-off by error names.
    """
    call = tasks.LambdaInvoke(
        scope,
        name,
        lambda_function=function,
        payload=sfn.TaskInput.from_object({**IDENTIFIERS, **EXECUTION, **payload}),
        payload_response_only=True,
        retry_on_service_exceptions=False,
        result_path=result or sfn.JsonPath.DISCARD,
        task_timeout=sfn.Timeout.duration(cdk.Duration.seconds(timeout)),
    )
    retry(call, retries)
    return call


def question(scope: Construct, name: str, function: lambda_.IFunction, *, minutes: int) -> tasks.LambdaInvoke:
    """Return a Task that asks a person and waits for the answer, so many minutes at most."""
    call = tasks.LambdaInvoke(
        scope,
        name,
        lambda_function=function,
        integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
        payload=sfn.TaskInput.from_object(
            {**IDENTIFIERS, **EXECUTION, **STEP, "operation": "ask", "token": sfn.JsonPath.task_token}
        ),
        retry_on_service_exceptions=False,
        result_path=sfn.JsonPath.DISCARD,
        task_timeout=sfn.Timeout.duration(cdk.Duration.minutes(minutes)),
    )
    retry(call, {errors: bounds for errors, bounds in PATIENT.items() if "States.Timeout" not in errors})
    retry(call, {tuple(LAMBDA_ERRORS): PATIENT[(*LAMBDA_ERRORS, "States.Timeout")]})
    return call


def retry(call: tasks.LambdaInvoke, retries: Retries) -> None:
    """Add retries, with full jitter so that what failed together does not come back together."""
    for errors, bounds in retries.items():
        call.add_retry(
            errors=list(errors),
            interval=cdk.Duration.seconds(bounds["interval"]),
            max_attempts=int(bounds["attempts"]),
            backoff_rate=bounds["rate"],
            max_delay=cdk.Duration.seconds(bounds["longest"]),
            jitter_strategy=sfn.JitterType.FULL,
        )
