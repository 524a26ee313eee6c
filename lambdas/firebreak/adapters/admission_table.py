"""Slots of the bulk lane, and what waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from firebreak.adapters.table import ConditionFailed, Table
from firebreak.adapters.writes import ABSENT, ALWAYS, PRESENT, When, delete, put, update
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
            self._wait({**row, "sk": f"WAITING#{execution.name}"})
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
        rows = sorted(self._table.query("ADMISSION", "WAITING#"), key=lambda row: (row["at"], row["sk"]))
        return [Execution.model_validate_json(row["execution"]) for row in rows]

    def started(self, execution: Execution) -> None:
        """Forget that an execution waits."""
        self._table.write(delete("ADMISSION", f"WAITING#{execution.name}", ALWAYS))

    def _wait(self, row: dict[str, str]) -> None:
        # by its name and without a look at the others: Triage, which notes it, may not ask for ranges of rows
        try:
            self._table.write(put(row, ABSENT))
        except ConditionFailed:
            return  # it waits already, since the time that is on record
