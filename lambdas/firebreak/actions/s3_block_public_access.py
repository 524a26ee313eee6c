"""Block all public access to an S3 bucket."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from firebreak.core.action import Action, NoParameters
from firebreak.core.buckets import owned, unless
from firebreak.core.clients import Clients
from firebreak.core.errors import PlanStale
from firebreak.core.grant import Grant
from firebreak.core.model import Model
from firebreak.core.plan import Change, Done, Draft, Plan, Verification
from firebreak.core.target import Bucket, Place

Flag: TypeAlias = Literal["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
Flags: TypeAlias = dict[Flag, bool]

FLAGS: tuple[Flag, ...] = get_args(Flag)
BLOCKED: Flags = dict.fromkeys(FLAGS, True)
BUCKETS = ("arn:{partition}:s3:::*",)

_EVERYONE = "http://acs.amazonaws.com/groups/global/"


class Before(Model):
    """The block as found.

    Attributes:
        flags: its four flags; None where the bucket has no such configuration, which is not the same as four times off.
    """

    flags: Flags | None


class BlockPublicAccess(Action[Bucket, NoParameters, Before]):
    """Block all public access to an S3 bucket.

    Turns on the four flags of the bucket's public access block: public ACLs are ignored and no more accepted, and a
    public policy lets in nobody but the bucket's own account and AWS services. Policy and ACLs stay as they are. Undo
    gives every flag the value it had, removes the block where there was none, and refuses where somebody has changed a
    flag since. It opens again whatever was public: see to policy and ACLs first.

    Does not stop: identities of the account and accounts that a policy names without being public; presigned URLs that
    are valid already, as long as who signed them may read; CloudFront, where it signs its requests; whoever may change
    the block itself. What was read is gone.

    Next: find out what was read in the logs of data events, take the public statement out of the policy and the public
    grants out of the ACLs, deny the principal that opened the bucket, and turn the block on for the whole account.
    """

    name = "s3.block_public_access"
    effect = "reversible"
    target = Bucket
    aspect = "public access"
    before = Before
    reads = (
        Grant(action="s3:GetBucketAcl", resources=BUCKETS),
        Grant(action="s3:GetBucketPolicyStatus", resources=BUCKETS),
        Grant(action="s3:GetBucketPublicAccessBlock", resources=BUCKETS),
    )
    writes = (
        Grant(
            action="s3:PutBucketPublicAccessBlock",
            resources=BUCKETS,
            conditions={"StringEquals": {"aws:ResourceAccount": "{account}"}},
        ),
    )

    def plan(self, clients: Clients, target: Bucket, parameters: NoParameters) -> Draft:
        found = _flags(clients, target)
        changed = [flag for flag in FLAGS if found is None or not found[flag]]
        return Draft(
            before=Before(flags=found).model_dump(mode="json"),
            changes=tuple(
                Change(resource=f"bucket {target.name}", what=flag, before=_side(found, flag), after="on")
                for flag in changed
            ),
            resources=(target.arn,),
            effects=_effects(clients, target) if changed else (),
            residual=(
                "identities of the account, and accounts that a policy names without being public, still get in",
                "presigned URLs stay valid until they expire",
                "whoever may change the block can lift it again",
            ),
        )

    def apply(self, clients: Clients, plan: Plan) -> Done:
        return _move(clients, plan, BLOCKED)

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        found = _flags(clients, plan.target)
        return Verification(ok=found == BLOCKED, saw=(f"bucket {plan.target.label}: {_words(found)}",))

    def undo(self, clients: Clients, plan: Plan) -> Done:
        return _move(clients, plan, Before.model_validate(plan.before).flags)


def _move(clients: Clients, plan: Plan, goal: Flags | None) -> Done:
    """Bring the bucket into one of the two states that the plan knows, from the other. One call, hence no third."""
    found, known = _flags(clients, plan.target), (Before.model_validate(plan.before).flags, BLOCKED)
    if found == goal:
        return Done()
    if found not in known:
        raise PlanStale(
            f"bucket {plan.target.label}: {_words(found)}. It was found with {_words(known[0])}, to be left with all"
            " four flags on; someone else changed it, and nothing was written"
        )
    s3, bucket = clients.aws("s3"), owned(plan.target)
    if goal is None:
        s3.delete_public_access_block(**bucket)
    else:
        s3.put_public_access_block(**bucket, PublicAccessBlockConfiguration=goal)
    return Done()


def _flags(clients: Clients, target: Place) -> Flags | None:
    s3, bucket = clients.aws("s3"), owned(target)
    found = unless("NoSuchPublicAccessBlockConfiguration", lambda: s3.get_public_access_block(**bucket))
    if found is None:
        return None
    return {flag: bool(found["PublicAccessBlockConfiguration"].get(flag)) for flag in FLAGS}


def _side(flags: Flags | None, flag: Flag) -> str:
    return "not set" if flags is None else "on" if flags[flag] else "off"


def _words(flags: Flags | None) -> str:
    if flags is None:
        return "no public access block"
    return ", ".join(f"{flag} {_side(flags, flag)}" for flag in FLAGS)


def _effects(clients: Clients, target: Bucket) -> tuple[str, ...]:
    """Who loses access, as far as the bucket itself says. Objects may bear public ACLs of their own."""
    s3, bucket = clients.aws("s3"), owned(target)
    status = unless("NoSuchBucketPolicy", lambda: s3.get_bucket_policy_status(**bucket))
    public = status is not None and bool(status["PolicyStatus"].get("IsPublic"))
    grants = [
        (grant["Grantee"].get("URI", "").removeprefix(_EVERYONE), grant["Permission"])
        for grant in s3.get_bucket_acl(**bucket)["Grants"]
        if grant["Grantee"].get("URI", "").startswith(_EVERYONE)
    ]
    opened = (
        *(
            ("its policy is public: everyone loses what it gives, and so do other accounts that it names",)
            if public
            else ()
        ),
        *(f"its ACL gives {group} {permission}, which is lost" for group, permission in sorted(grants)),
    )
    return (
        *(opened or ("neither its policy nor its own ACL is public now",)),
        "public ACLs of single objects are ignored; uploads that ask for one fail, and so does a new public policy",
    )
