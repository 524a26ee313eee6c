"""Deny an S3 bucket to principals."""

from __future__ import annotations

import re

from pydantic import Field

from firebreak.core.action import Action
from firebreak.core.bucket_policy import LIMIT, difference, has, lost_principals, same, statements, with_statement
from firebreak.core.buckets import owned, unless
from firebreak.core.clients import Clients
from firebreak.core.errors import AwsError, PlanStale, Refused
from firebreak.core.grant import Grant
from firebreak.core.model import Json, Model, digest
from firebreak.core.plan import Change, Done, Draft, Plan, Verification
from firebreak.core.target import Bucket, Place

BUCKETS = ("arn:{partition}:s3:::*",)
OF_THE_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": "{account}"}}

_OURS = re.compile(r".+-(fn-[a-z-]+|observer|prepare|[a-z0-9]+-[a-z]+(_[a-z]+)+)")
"""Names that Firebreak gives its roles, under whatever prefix."""


class Parameters(Model):
    """Whom to deny the bucket.

    Attributes:
        principal: ARN of an IAM user or role, without wildcards; a role stands for all its sessions. None means
            everyone outside the bucket's account, anonymous callers included, AWS services not.
    """

    principal: str | None = Field(
        default=None, pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:(user|role)/[A-Za-z0-9_+=,.@/-]+$", max_length=700
    )


class Before(Model):
    """The bucket's policy as found.

    Attributes:
        policy: its text, to the letter; None where the bucket has none.
    """

    policy: str | None


class DenyPrincipal(Action[Bucket, Parameters, Before]):
    """Deny an S3 bucket to everyone outside its account, or to a named user or role.

    Adds one statement to the bucket's policy that denies everything, whatever else allows it, and leaves the others as
    they are. Undo puts the policy back to the letter, removes it where there was none, and refuses where somebody has
    changed it since. Firebreak's own roles are refused, since undo could not come back; so is a policy that would grow
    beyond what S3 takes, or that names a principal which does not exist any more, since S3 takes no change of it.

    Does not stop: whoever else may come in; who is denied, where they may take on another user or role and come back as
    that; copies that were made already. Where the policy is public and the public access block
    refuses such policies, S3 takes no change of the policy: deny first, then block, and undo the block first.

    Next: revoke the sessions of who was denied, find out what was read in the logs of data events, then mend the policy
    and the identities that let them in.
    """

    name = "s3.deny_principal"
    effect = "reversible"
    target = Bucket
    aspect = "policy"
    parameters = Parameters
    before = Before
    reads = (Grant(action="s3:GetBucketPolicy", resources=BUCKETS),)
    writes = (
        Grant(action="s3:DeleteBucketPolicy", resources=BUCKETS, conditions=OF_THE_ACCOUNT),
        Grant(action="s3:PutBucketPolicy", resources=BUCKETS, conditions=OF_THE_ACCOUNT),
    )

    def plan(self, clients: Clients, target: Bucket, parameters: Parameters) -> Draft:
        _refuse_own(parameters)
        found, ours = _policy(clients, target), _statement(target, parameters)
        changed = not has(found, ours)
        if changed:
            _refuse_unfit(target, found, with_statement(found, ours))
        change = Change(
            resource=f"bucket {target.name}",
            what="policy",
            before=_count(found),
            after=f"one more, which denies everything to {_whom(target, parameters)}",
        )
        return Draft(
            before=Before(policy=found).model_dump(mode="json"),
            changes=(change,) if changed else (),
            resources=(target.arn,),
            effects=_effects(parameters),
            residual=("who is denied may still come by another user or role that is not",),
        )

    def apply(self, clients: Clients, plan: Plan) -> Done:
        before, after = _sides(plan)
        return _move(clients, plan, before, after)

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        (_, after), found = _sides(plan), _policy(clients, plan.target)
        saw = "the policy is as planned" if same(found, after) else difference(found, after)
        return Verification(ok=same(found, after), saw=(f"bucket {plan.target.label}: {saw}",))

    def undo(self, clients: Clients, plan: Plan) -> Done:
        before, after = _sides(plan)
        return _move(clients, plan, after, before)


def _sides(plan: Plan) -> tuple[str | None, str]:
    """The policy as it was found, and as the plan leaves it."""
    before = Before.model_validate(plan.before).policy
    ours = _statement(plan.target, Parameters.model_validate(plan.parameters))
    return before, before if before is not None and has(before, ours) else with_statement(before, ours)


def _move(clients: Clients, plan: Plan, start: str | None, goal: str | None) -> Done:
    """Bring the policy from one state to the other. One call, hence no third state is ever ours."""
    found = _policy(clients, plan.target)
    if same(found, goal):
        return Done()
    if not same(found, start):
        raise PlanStale(
            f"bucket {plan.target.label}: {difference(found, start)}. Someone else changed its policy, and nothing was"
            " written"
        )
    s3, bucket = clients.aws("s3"), owned(plan.target)
    if goal is None:
        s3.delete_bucket_policy(**bucket)
        return Done()
    try:
        s3.put_bucket_policy(**bucket, Policy=goal)
    except AwsError as error:
        if error.code != "MalformedPolicy":
            raise
        raise PlanStale(
            f"bucket {plan.target.label}: nothing was written. S3 does not take a policy any more that it has taken"
            f" before: whom it names may have been deleted since. {error}"
        ) from error
    return Done()


def _policy(clients: Clients, target: Place) -> str | None:
    s3, bucket = clients.aws("s3"), owned(target)
    found = unless("NoSuchBucketPolicy", lambda: s3.get_bucket_policy(**bucket))
    return None if found is None else str(found["Policy"])


def _statement(target: Place, parameters: Parameters) -> Json:
    arn = f"arn:{target.partition}:s3:::{target.label}"
    # whom it is for is a condition: a principal that S3 does not know would make the policy invalid
    condition: Json = {"ArnEquals": {"aws:PrincipalArn": parameters.principal}}
    if parameters.principal is None:
        condition = {
            "StringNotEquals": {"aws:PrincipalAccount": target.account},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},  # an anonymous caller has no such key
        }
    return {
        "Sid": f"Firebreak{digest(condition)[:16]}",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": condition,
    }


def _refuse_own(parameters: Parameters) -> None:
    kind, _, name = (parameters.principal or "").rpartition(":")[2].partition("/")
    if kind == "role" and _OURS.fullmatch(name.rpartition("/")[2]):
        raise Refused(
            f"{parameters.principal} is named as Firebreak names its own roles, which have to be able to undo this"
        )


def _refuse_unfit(target: Bucket, found: str | None, wanted: str) -> None:
    if (size := len(wanted.encode())) > LIMIT:
        raise Refused(f"bucket {target.name}: its policy would have {size} bytes, and S3 takes {LIMIT}")
    if lost := lost_principals(found):
        raise Refused(
            f"bucket {target.name}: its policy names {', '.join(lost)}, deleted since, and S3 takes no change of such a"
            " policy. Take them out first"
        )


def _count(policy: str | None) -> str:
    return "no policy" if policy is None else f"{len(statements(policy))} statements"


def _whom(target: Bucket, parameters: Parameters) -> str:
    return parameters.principal or f"everyone outside account {target.account}, but for AWS services"


def _effects(parameters: Parameters) -> tuple[str, ...]:
    if parameters.principal:
        return ("whatever runs as that principal loses the bucket, its honest work too",)
    return (
        "partners, replication and log delivery from other accounts lose the bucket",
        "CloudFront loses it where it comes by an origin access identity, not where by origin access control",
    )
