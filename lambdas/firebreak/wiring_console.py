"""What the operator's command is made of: the same parts, found by a deployment's prefix instead of variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from firebreak.clock import Clock
from firebreak.core.console import ConsoleNames
from firebreak.core.errors import SettingsError
from firebreak.wiring import Wiring

if TYPE_CHECKING:
    from firebreak.adapters.approval_api import ApprovalApi
    from firebreak.adapters.aws import SessionClients
    from firebreak.adapters.dead_letters import DeadLetters
    from firebreak.adapters.eventbridge import EventBus
    from firebreak.adapters.finding_table import FindingTable
    from firebreak.adapters.table import Table
    from firebreak.adapters.vault_reader import VaultReader
    from firebreak.core.incident import Lane


class ConsoleWiring(Wiring):
    """What a command is made of.

    Args:
        environment: what the caller said of the AWS to use, under the names that `firebreak.settings` reads.
        prefix: of the deployment.
        clock: the time.

    Attributes:
        names: where everything is.

    Raises:
        TargetMissing: there is no such deployment here.
        SettingsError: no region or profile, or an unusable one.
        Denied: no credentials, or no right.
    """

    def __init__(self, environment: Mapping[str, str], prefix: str, clock: Clock) -> None:
        from firebreak.adapters.ssm import console_names

        try:
            super().__init__(environment, clock)
        except BotoCoreError as error:
            raise SettingsError(f"{error}; name another profile by --profile") from error
        self.names: ConsoleNames = console_names(self.client("ssm"), prefix)
        places = {"FIREBREAK_TABLE": self.names.table, "FIREBREAK_STATE_MACHINE_ARN": self.names.state_machine}
        super().__init__({**environment, **places}, clock)

    def client(self, service: str) -> Any:
        """Make a client under the caller's credentials."""
        try:
            return super().client(service)
        except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint or region of impossible spelling
            raise SettingsError(f"{error}; name the region by --region, the profile by --profile") from error

    def caller(self) -> str:
        """Return the ARN of whoever runs the command."""
        from firebreak.adapters.caller import caller_arn

        return caller_arn(self.client("sts"))

    def approval_api(self) -> ApprovalApi:
        from firebreak.adapters.approval_api import ApprovalApi

        return ApprovalApi(self.session.get_credentials(), self.names.region, self.names.api)

    def own(self, region: str) -> SessionClients:
        """Return clients under the caller's own credentials, for a region; of what is global, from home."""
        from firebreak.adapters.aws import SessionClients
        from firebreak.adapters.eks import open_cluster
        from firebreak.core.target import GLOBAL

        home = self.names.region if region == GLOBAL else region
        return SessionClients(self.session, home, kubernetes=open_cluster, endpoint=self.settings.endpoint)

    def bus(self) -> EventBus:
        from firebreak.adapters.eventbridge import EventBus

        return EventBus(self.client("events"), self.names.bus)

    def findings(self, table: Table) -> FindingTable:
        from firebreak.adapters.finding_table import FindingTable

        return FindingTable(table)

    def vault_reader(self) -> VaultReader:
        from firebreak.adapters.vault_reader import VaultReader

        return VaultReader(self.client("s3"))

    def dead_letters(self, table: Table, lane: Lane) -> DeadLetters:
        from firebreak.adapters.dead_letters import DeadLetters

        return DeadLetters(self.client("sqs"), table, lane, self.names.lanes[lane])
