"""Slots of the bulk lane, and what waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from firebreak.adapters.table import ConditionFailed, Table
from firebreak.adapters.writes import ABSENT, PRESENT, When, delete, put, update
from firebreak.ports import Execution


class AdmissionTable:
    """`firebreak.ports.Admission` on the table: a counter, and a row per execution that holds or awaits a slot."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def enter(self, execution: Execution, limit: int, now: datetime) -> bool:
        """Take a slot, or note that the execution waits; True where it may start."""
        row = {"pk": "ADMISSION", "execution": execution.model_dump_json(), "at": now.isoformat()}
        try:
            self._table.write_all(
                put({**row, "sk": f"HOLDS#{execution.name}"}),
                update(
                    "ADMISSION",
                    "RUNNING",
                    When("attribute_not_exists(#slots) OR #slots < :limit", {"limit": limit}),
                    add={"slots": 1},
                ),
            )
        except ConditionFailed as failure:
            if failure.failed[0]:
                return True  # it has its slot already
            self._wait({**row, "sk": f"WAITING#{now.isoformat()}#{execution.name}"}, execution)
            return False
        return True

    def leave(self, execution: str) -> None:
        """Give the slot back, once."""
        try:
            self._table.write_all(
                delete("ADMISSION", f"HOLDS#{execution}", PRESENT),
                update("ADMISSION", "RUNNING", When("#slots > :none", {"none": 0}), add={"slots": -1}),
            )
        except ConditionFailed:
            return  # it held none

    def waiting(self) -> Sequence[Execution]:
        """Return the executions that wait, oldest first."""
        return [Execution.model_validate_json(row["execution"]) for row in self._table.query("ADMISSION", "WAITING#")]

    def started(self, execution: Execution) -> None:
        """Forget that an execution waits."""
        for row in self._table.query("ADMISSION", "WAITING#"):
            if Execution.model_validate_json(row["execution"]).name == execution.name:
                self._table.write(
                    delete("ADMISSION", row["sk"], When("attribute_exists(#pk) OR attribute_not_exists(#pk)"))
                )

    def _wait(self, row: dict[str, str], execution: Execution) -> None:
        if any(waiting.name == execution.name for waiting in self.waiting()):
            return
        try:
            self._table.write(put(row, ABSENT))
        except ConditionFailed:
            return
