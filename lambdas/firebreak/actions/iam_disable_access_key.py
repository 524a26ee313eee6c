"""Turn off an access key of an IAM user."""

from __future__ import annotations

from firebreak.core.action import Action, NoParameters
from firebreak.core.clients import Aws, Clients
from firebreak.core.errors import PlanStale, Refused, TargetMissing
from firebreak.core.grant import Grant
from firebreak.core.model import Model
from firebreak.core.plan import Change, Done, Draft, Plan, Verification
from firebreak.core.target import AccessKey

USERS = ("arn:{partition}:iam::{account}:user/*",)
LONG_LIVED = "AKIA"
"""What the id of a user's own key begins with; keys of sessions begin with ASIA (AWS IAM User Guide, "IAM identifiers",
unique ID prefixes)."""


class Before(Model):
    """The key as found.

    Attributes:
        user_name: whose it is.
        user_id: of that user: another one may get the name.
        status: "Active" or "Inactive".
    """

    user_name: str
    user_id: str
    status: str


class DisableAccessKey(Action[AccessKey, NoParameters, Before]):
    """Turn off an access key of an IAM user.

    Sets the key's status to Inactive. Undo turns it on again, if it was on. Keys of sessions and of the root user are
    refused: neither can be turned off so. A user who was replaced by another of the same name is left alone.

    Does not stop: temporary credentials that were got with the key, which stay valid for up to 36 hours; the user's
    other key and password; whoever may turn the key on again or make another one.

    Next: look in CloudTrail for what the key did and made, above all keys, users and roles; deny the user everything;
    give whoever needs it a new key, then delete this one.
    """

    name = "iam.disable_access_key"
    effect = "reversible"
    target = AccessKey
    aspect = "status"
    before = Before
    reads = (Grant(action="iam:GetUser", resources=USERS), Grant(action="iam:ListAccessKeys", resources=USERS))
    writes = (Grant(action="iam:UpdateAccessKey", resources=USERS),)

    def plan(self, clients: Clients, target: AccessKey, parameters: NoParameters) -> Draft:
        iam, name = clients.aws("iam"), _user_name(target)
        user = iam.get_user(UserName=name)["User"]
        if target.principal_id and target.principal_id != user["UserId"]:
            raise TargetMissing(f"user {name} is another one by now, and access key {target.label} is not theirs")
        keys = _keys(iam, name)
        status = _status(keys, target.access_key_id, name)
        if status == "Expired":
            raise Refused(f"access key {target.label} of user {name} has expired, and opens nothing any more")
        return Draft(
            before=Before(user_name=name, user_id=user["UserId"], status=status).model_dump(mode="json"),
            changes=_changes(target, name, status),
            resources=(user["Arn"],),
            effects=(f"whatever else uses the key of user {name} is refused as well",),
            residual=(
                "temporary credentials that were got with it stay valid for up to 36 hours",
                *(f"access key {key} of user {name} is on" for key in sorted(keys) if _other(keys, key, target)),
                f"user {name} may have a password, which still signs in",
            ),
        )

    def apply(self, clients: Clients, plan: Plan) -> Done:
        return _set(clients.aws("iam"), plan, "Inactive")

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        status = _now(clients.aws("iam"), plan)
        return Verification(ok=status == "Inactive", saw=(f"access key {plan.target.label} is {status}",))

    def undo(self, clients: Clients, plan: Plan) -> Done:
        return _set(clients.aws("iam"), plan, Before.model_validate(plan.before).status)


def _set(iam: Aws, plan: Plan, status: str) -> Done:
    """Bring the key to a status; there are only the one it was found with and Inactive."""
    before = Before.model_validate(plan.before)
    found = _now(iam, plan)
    if found not in (before.status, "Inactive"):
        raise PlanStale(
            f"access key {plan.target.label} of user {before.user_name} is {found}, and was {before.status}. Someone "
            "else changed it, and nothing was written"
        )
    if found != status:
        iam.update_access_key(UserName=before.user_name, AccessKeyId=plan.target.label, Status=status)
    return Done()


def _now(iam: Aws, plan: Plan) -> str:
    """The status of the planned key, of the planned user and no other of that name."""
    before = Before.model_validate(plan.before)
    user = iam.get_user(UserName=before.user_name)["User"]
    if user["UserId"] != before.user_id:
        raise TargetMissing(f"user {before.user_name} is gone: another user has the name now")
    return _status(_keys(iam, before.user_name), plan.target.label, before.user_name)


def _keys(iam: Aws, user_name: str) -> dict[str, str]:
    """The status of each key of a user, by its id."""
    listed = iam.pages("list_access_keys", "AccessKeyMetadata", UserName=user_name)
    return {key["AccessKeyId"]: key["Status"] for key in listed}


def _status(keys: dict[str, str], key: str, user_name: str) -> str:
    if key not in keys:
        raise TargetMissing(f"user {user_name} has no access key {key} (any more)")
    return keys[key]


def _other(keys: dict[str, str], key: str, target: AccessKey) -> bool:
    return key != target.access_key_id and keys[key] == "Active"


def _user_name(target: AccessKey) -> str:
    if target.user_type == "Root":
        raise Refused(
            f"access key {target.label} is the root user's, which no API turns off: sign in as root and do so"
        )
    if not target.access_key_id.startswith(LONG_LIVED):
        raise Refused(f"access key {target.label} is of a session, and ends with it: revoke the sessions of its role")
    if not target.user_name:
        raise Refused(f"access key {target.label}: the finding does not say whose it is")
    return target.user_name


def _changes(target: AccessKey, user_name: str, status: str) -> tuple[Change, ...]:
    if status == "Inactive":
        return ()
    resource = f"access key {target.label} of user {user_name}"
    return (Change(resource=resource, what="status", before=status, after="Inactive"),)
