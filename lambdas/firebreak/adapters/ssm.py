"""What a deployment says of itself, in an SSM parameter."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from firebreak.adapters.aws import translate
from firebreak.core.console import ConsoleNames, console_parameter
from firebreak.core.errors import SettingsError, TargetMissing


def console_names(client: Any, prefix: str) -> ConsoleNames:
    """Return the names of a deployment.

    Args:
        client: a boto3 SSM client of the home account and region.
        prefix: what the deployment's names start with.

    Raises:
        TargetMissing: there is none of that prefix here.
        SettingsError: it is of another version than this command.
    """
    name = console_parameter(prefix)
    try:
        text = client.get_parameter(Name=name)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            raise TargetMissing(
                f"there is no parameter {name} in {client.meta.region_name}; "
                f"name the deployment by --prefix, --profile and --region"
            ) from None
        raise translate(error, "get_parameter") from error
    except BotoCoreError as error:
        raise translate(error, "get_parameter") from error
    try:
        return ConsoleNames.model_validate_json(text)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        where = ".".join(map(str, wrong["loc"])) or "it"
        raise SettingsError(
            f"parameter {name}: {where}: {wrong['msg']}; deploy again, or use the command of the version deployed"
        ) from None
