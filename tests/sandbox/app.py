"""A small application in two templates, wired as ours is: bus, lane, triage, table and stream, machine, API, pipe."""

from __future__ import annotations

import json
from typing import Any

from sandbox.template import Stack


def function(part: str, **more: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "FunctionName": f"toy-{part}",
        "Handler": "tests.sandbox.toys.handler",
        "Runtime": "python3.13",
        "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": "x.zip"},
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Timeout": 30,
        "Environment": {"Variables": {"PART": part, "TABLE": {"Ref": "Table"}, **more}},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


MACHINE = {
    "StartAt": "Ask",
    "TimeoutSeconds": 86400,
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {
                "FunctionName": "${Work}",
                "Payload": {"finding.$": "$.finding", "token.$": "$$.Task.Token"},
            },
            "TimeoutSeconds": 3600,
            "ResultPath": "$.answer",
            "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.answer", "Next": "Fail"}],
            "Next": "Work",
        },
        "Work": {
            "Type": "Task",
            "Resource": "${Work}",
            "Parameters": {"finding.$": "$.finding", "fail": 0},
            "Retry": [{"ErrorEquals": ["Throttled"], "IntervalSeconds": 5, "MaxAttempts": 3}],
            "ResultPath": "$.result",
            "End": True,
        },
        "Fail": {"Type": "Fail", "Error": "Expired", "Cause": "nobody answered"},
    },
}

_KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]

CORE: dict[str, Any] = {
    "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk/version"}},
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "toy-role",
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "toy",
                "KeySchema": _KEYS,
                "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            },
        },
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "toy"}},
        "Forward": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.guardduty"]},
                "Targets": [{"Id": "bus", "Arn": {"Fn::GetAtt": ["Bus", "Arn"]}}],
            },
        },
        "Lane": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "VisibilityTimeout": 180,
                "RedrivePolicy": {
                    "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]},
                    "maxReceiveCount": 3,
                },
            },
        },
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "toy-dead"}},
        "ToLane": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": {"source": [{"prefix": ""}]},
                "Targets": [{"Id": "lane", "Arn": {"Fn::GetAtt": ["Lane", "Arn"]}}],
            },
        },
        "Triage": function("triage", MACHINE={"Ref": "Machine"}),
        "TriageReads": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "Triage"},
                "EventSourceArn": {"Fn::GetAtt": ["Lane", "Arn"]},
                "BatchSize": 10,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        },
        "Work": function("work"),
        "Echo": function("echo"),
        "Decide": function("decide"),
        "DecideReads": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "Decide"},
                "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
                "StartingPosition": "LATEST",
                "FilterCriteria": {
                    "Filters": [
                        {
                            "Pattern": json.dumps(
                                {
                                    "eventName": ["INSERT"],
                                    "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "VOTE#"}]}}},
                                }
                            )
                        }
                    ]
                },
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "toy",
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "DefinitionString": json.dumps(MACHINE),
                "DefinitionSubstitutions": {"Work": {"Fn::GetAtt": ["Work", "Arn"]}},
            },
        },
    },
    "Outputs": {"BusArn": {"Value": {"Fn::GetAtt": ["Bus", "Arn"]}, "Export": {"Name": "core:bus"}}},
}

EDGE: dict[str, Any] = {
    "Resources": {
        "Falco": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "falco"}},
        "Pipe": {
            "Type": "AWS::Pipes::Pipe",
            "Properties": {
                "Source": {"Fn::GetAtt": ["Falco", "Arn"]},
                "Target": {"Fn::ImportValue": "core:bus"},
                "RoleArn": "arn:aws:iam::111122223333:role/pipe",
                "TargetParameters": {
                    "EventBridgeEventBusParameters": {"DetailType": "Falco Alert", "Source": "firebreak.falco"},
                    "InputTemplate": '{"cluster": "prod", "id": "<$.messageId>", "alert": <$.body>}',
                },
            },
        },
    }
}

API: dict[str, Any] = {
    "Parameters": {"EchoArn": {"Type": "String", "Default": "arn:aws:lambda:us-east-1:111122223333:function:toy-echo"}},
    "Resources": {
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "toy", "ProtocolType": "HTTP"}},
        "Echo": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Ref": "EchoArn"},
                "PayloadFormatVersion": "2.0",
            },
        },
        "Public": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": "POST /slack/interactions",
                "Target": {"Fn::Join": ["", ["integrations/", {"Ref": "Echo"}]]},
                "AuthorizationType": "NONE",
            },
        },
        "Guarded": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": "POST /approvals/{id}",
                "Target": {"Fn::Join": ["", ["integrations/", {"Ref": "Echo"}]]},
                "AuthorizationType": "AWS_IAM",
            },
        },
    },
}
STACKS = (Stack("edge", EDGE), Stack("core", CORE), Stack("api", API))
