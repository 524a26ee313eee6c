"""Who is calling, as AWS sees it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate


def caller_arn(client: Any) -> str:
    """Return the ARN of whoever holds the credentials: "arn:aws:sts::…:assumed-role/<role>/<session>".

    Args:
        client: a boto3 STS client.
    """
    try:
        return str(client.get_caller_identity()["Arn"])
    except (ClientError, BotoCoreError) as error:
        raise translate(error, "get_caller_identity") from error
