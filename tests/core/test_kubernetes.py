"""Paths that no name can break out of, lists page by page, provider ids."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.adapters.kubernetes import KubernetesClient
from firebreak.core.errors import Retriable, TargetMissing
from firebreak.core.kubernetes import PAGE, PAGES, instance_id, items, path
from sandbox.kubernetes import Call, Cluster
from sandbox.kubernetes_wire import Wire


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (path("nodes"), "/api/v1/nodes"),
        (path("nodes", "ip-10-0-1-7.ec2.internal"), "/api/v1/nodes/ip-10-0-1-7.ec2.internal"),
        (path("pods", namespace="shop"), "/api/v1/namespaces/shop/pods"),
        (path("pods", "web-1", namespace="shop"), "/api/v1/namespaces/shop/pods/web-1"),
        (
            path("replicasets", "web-5d9c", namespace="shop", api="apps/v1"),
            "/apis/apps/v1/namespaces/shop/replicasets/web-5d9c",
        ),
    ],
)
def test_paths_are_those_of_the_api(made: str, expected: str) -> None:
    assert made == expected


@given(st.text(max_size=300), st.text(max_size=80))
def test_a_path_holds_the_names_it_was_given_or_is_not_made(name: str, namespace: str) -> None:
    try:
        made = path("pods", name, namespace=namespace)
    except TargetMissing:
        return
    where = ["namespaces", namespace] if namespace else []
    assert made.split("/") == ["", "api", "v1", *where, "pods", *([name] if name else [])]


@pytest.mark.parametrize("name", ["..", "a/b", "a?b", "a%2fb", "A", "-a", "a-", "a\n", "a" * 254, "\u0430"])
def test_a_name_that_cannot_be_one_is_nobodys(name: str) -> None:
    with pytest.raises(TargetMissing):
        path("nodes", name)
    with pytest.raises(TargetMissing):
        path("pods", "web", namespace=name)


def test_a_namespace_has_no_dots() -> None:
    with pytest.raises(TargetMissing):
        path("pods", "web", namespace="a.b")


def new_cluster(pods: int) -> tuple[Cluster, KubernetesClient]:
    cluster = Cluster("prod")
    for number in range(pods):
        cluster.add("pods", {"metadata": {"name": f"web-{number:04}", "labels": {"even": str(number % 2 == 0)}}})
    return cluster, KubernetesClient(Wire(cluster), "https://api.example", lambda: "admin")


@pytest.mark.parametrize("pods", [0, 1, PAGE, PAGE + 1, 2 * PAGE + 1])
def test_every_object_comes_once_whatever_the_number_of_pages(pods: int) -> None:
    cluster, kubernetes = new_cluster(pods)
    names = [item["metadata"]["name"] for item in items(kubernetes, path("pods"))]
    assert names == [f"web-{number:04}" for number in range(pods)]
    assert len(cluster.calls) == max(1, -(-pods // PAGE))


def test_a_selector_goes_with_every_page() -> None:
    _, kubernetes = new_cluster(2 * PAGE + 4)
    found = list(items(kubernetes, path("pods"), labelSelector="even=True"))
    assert len(found) == PAGE + 2


def test_a_list_that_expires_under_its_reader_is_begun_again_by_the_caller() -> None:
    cluster, kubernetes = new_cluster(PAGE + 1)

    def before(call: Call) -> None:
        if call.number == 2:
            cluster.store.expire_cursors()

    cluster.before = before
    with pytest.raises(Retriable, match="Begin the list again"):
        list(items(kubernetes, path("pods")))


def test_a_list_without_items_is_empty() -> None:
    class Null:
        def call(self, *_: Any, **__: Any) -> Any:
            return {"items": None, "metadata": None}

    assert list(items(Null(), path("pods"))) == []


@pytest.mark.parametrize(
    "answer",
    [{"items": 5}, {"items": {"a": 1}}, {"items": "x"}, {"metadata": [1]}, {"metadata": {"continue": {"a": 1}}}],
)
def test_a_list_that_is_none_may_be_read_again(answer: Any) -> None:
    class Odd:
        def call(self, *_: Any, **__: Any) -> Any:
            return answer

    with pytest.raises(Retriable, match="no list of objects"):
        list(items(Odd(), path("pods")))


def test_a_list_without_end_is_given_up() -> None:
    class Endless:
        asked = 0

        def call(self, *_: Any, **__: Any) -> Any:
            self.asked += 1
            return {"items": [{}], "metadata": {"continue": "more"}}

    endless = Endless()
    with pytest.raises(Retriable, match="goes on after"):
        list(items(endless, path("pods")))
    assert endless.asked == PAGES


@pytest.mark.parametrize(
    ("provider", "instance"),
    [
        ("aws:///us-east-1a/i-0123456789abcdef0", "i-0123456789abcdef0"),
        ("aws:///us-east-1-bos-1a/i-0123456789abcdef0", "i-0123456789abcdef0"),
        ("aws:///us-east-1a/i-01234567", "i-01234567"),
        ("aws:///us-west-2a/i-0123456789abcdef0", None),
        ("aws:///us-east-1a/fargate-ip-10-0-1-7.ec2.internal", None),
        ("aws:///us-east-1a/i-0123456789ABCDEF0", None),
        ("aws:///us-east-1a/i-0123456789abcdef0/x", None),
        ("eks-hybrid:///us-east-1/prod/mi-0123456789abcdef0", None),
        ("", None),
    ],
)
def test_only_an_ec2_provider_id_of_the_region_is_an_instance(provider: str, instance: str | None) -> None:
    assert instance_id(provider, "us-east-1") == instance


@given(st.text(max_size=60))
def test_other_text_is_no_instance(text: str) -> None:
    assert instance_id(f"x{text}", "us-east-1") is None
    assert instance_id(f"aws:///us-east-1a/i-0123456789abcdef0{text}x", "us-east-1") is None
