"""What a Kubernetes API server answers, as a table: the contract that the fake is held to.

Each story starts on an empty cluster and is asked in order. A fact says what matters in the answer: status, reason,
causes, Retry-After, media type, and chosen fields. Behaviour of kube-apiserver 1.36 (Kubernetes documentation: API
Concepts, Server-Side Apply, API-initiated Eviction, Using RBAC Authorization).

In paths and bodies, "<web.uid>" stands for the uid of the object that a fact before kept as "web".
"""

from __future__ import annotations

from tests.sandbox.kubernetes_fact import Fact
from tests.sandbox.kubernetes_facts_objects import OBJECTS
from tests.sandbox.kubernetes_facts_rules import RULES

STORIES: dict[str, list[Fact]] = OBJECTS | RULES
