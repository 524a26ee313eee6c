"""A function with no executions reserved for it, which polls one queue and has left off polling another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.core.model import Json
from firebreak.core.target import LambdaFunction
from tests.contract.scenes import ACCOUNT, REGION, Scene
from tests.lambda_world import NAME, function, mapping


class World(Scene):
    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.aws = aws("lambda")
        function(aws)
        self.polled, self.left = mapping(aws, "polled"), mapping(aws, "left", enabled=False)
        self.target = LambdaFunction(account=ACCOUNT, region=REGION, name=NAME)

    def drift(self) -> None:
        self.aws.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=7)

    def delete(self) -> None:
        self.aws.delete_function(FunctionName=NAME)

    def state(self) -> Json:
        mappings = self.aws.list_event_source_mappings()["EventSourceMappings"]
        return {
            "reserved": self.aws.get_function_concurrency(FunctionName=NAME).get("ReservedConcurrentExecutions"),
            "mappings": sorted((mapping["EventSourceArn"], mapping["State"]) for mapping in mappings),
        }
