"""What wakes the functions that nobody calls."""

from __future__ import annotations

from tests.stacks.template import Template, text


def test_sweep_is_woken_by_the_clock_and_by_our_executions_that_ended_badly(response: Template) -> None:
    sweep = f"<{response.id_of('AWS::Lambda::Function', 'Sweep')}.Arn>"
    rules = [one for one in response.all("AWS::Events::Rule").values() if text(one["Targets"][0]["Arn"]) == sweep]
    (clock,) = [one["ScheduleExpression"] for one in rules if "ScheduleExpression" in one]
    (ended,) = [one["EventPattern"] for one in rules if "EventPattern" in one]
    assert clock == "rate(5 minutes)"
    assert ended["source"] == ["aws.states"]
    assert ended["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    machine = response.id_of("AWS::StepFunctions::StateMachine", "Respond")
    assert [text(arn) for arn in ended["detail"]["stateMachineArn"]] == [f"<{machine}>"]


def test_prepare_is_woken_daily_after_a_deployment_and_by_new_networks(response: Template) -> None:
    prepare = f"<{response.id_of('AWS::Lambda::Function', 'Prepare')}.Arn>"
    rules = [one for one in response.all("AWS::Events::Rule").values() if text(one["Targets"][0]["Arn"]) == prepare]
    assert [one["ScheduleExpression"] for one in rules if "ScheduleExpression" in one] == ["rate(1 day)"]
    patterns = {one["EventPattern"]["source"][0]: one for one in rules if "EventPattern" in one}
    assert patterns.keys() == {"aws.cloudformation", "aws.ec2"}
    assert "EventBusName" in patterns["aws.ec2"], "forwarded, from every account and region"
    assert patterns["aws.ec2"]["EventPattern"]["detail"] == {"eventName": ["CreateVpc", "CreateDefaultVpc"]}
    (prefix,) = patterns["aws.cloudformation"]["EventPattern"]["detail"]["stack-id"]
    assert text(prefix["prefix"]).endswith(":stack/firebreak-")
