"""The reviews by which a caller asks about itself: its access, its rules, its name."""

from __future__ import annotations

from sandbox.kubernetes_access import Asked, User, allowed, rules_of
from sandbox.kubernetes_answer import Answer, Failure, Object
from sandbox.kubernetes_request import Request
from sandbox.kubernetes_store import Store

REVIEWS = {
    ("authorization.k8s.io", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
    ("authentication.k8s.io", "selfsubjectreviews"): "SelfSubjectReview",
}


def review(store: Store, user: User, request: Request) -> Answer:
    """Answer a review.

    Raises:
        Failure: 405 for anything but a create.
    """
    if request.method != "POST":
        raise Failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})
    asked = request.asked
    kind = REVIEWS[asked.group, asked.resource]
    spec = request.body.get("spec") or {}
    body: Object = {"kind": kind, "apiVersion": f"{asked.group}/{request.version}", "metadata": {}}
    match kind:
        case "SelfSubjectAccessReview":
            about = spec.get("resourceAttributes") or {}
            known = ("verb", "resource", "subresource", "group", "namespace", "name")
            may, why = allowed(store, user, Asked(**{name: about.get(name, "") for name in known}))
            body |= {"spec": spec, "status": {"allowed": may, **({"reason": why} if why else {})}}
        case "SelfSubjectRulesReview":
            rules = [rule for rule, _ in rules_of(store, user, spec.get("namespace", ""))]
            body |= {"spec": {}, "status": {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}}
        case _:
            info = {"username": user.name, "uid": user.uid, "groups": list(user.all_groups)}
            body |= {"status": {"userInfo": info}}
    return Answer(201, body)
