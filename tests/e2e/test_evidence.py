"""`firebreak evidence verify`, against the vaults and the table as they stand in the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.operator import Operator
from tests.e2e.story import Story

READERS = ("evidence-reader", "raw-events-reader")


@pytest.fixture
def ana(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator who may also read what is kept."""
    monkeypatch.chdir(tmp_path)
    operator = Operator(story, "ana")
    operator.sits_down(tmp_path, *READERS)
    return operator


@pytest.fixture
def incident(story: Story) -> str:
    """An incident that was contained, with one event, and taken back: two manifests."""
    story.put(story.guardduty(story.lab.estate.bastion))
    (found,) = story.incidents()
    return str(found.id)


def kept(story: Story, word: str) -> tuple[str, str]:
    """Return bucket and name of the one object whose name starts with a word."""
    s3 = story.sandbox.client("s3")
    ((bucket, name),) = (
        (bucket["Name"], found["Key"])
        for bucket in s3.list_buckets()["Buckets"]
        for found in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ())
        if found["Key"].startswith(word)
    )
    return bucket, name


def verified(ana: Operator, incident: str, exit_code: int) -> dict[str, Any]:
    """Return what is not as it should be, by where it is; on the screen, too."""
    shown = ana.types("evidence", "verify", incident)
    assert shown.exit_code == exit_code, shown.output
    told = ana.types("evidence", "verify", incident, "--json")
    found = json.loads(told.stdout)
    assert found["proven"] == (exit_code == 0)
    amiss = {each["where"]: each["verdict"] for each in found["found"] if each["verdict"] not in ("holds", "no hash")}
    assert all(where in " ".join(shown.output.split()) for where in amiss)
    return amiss


def test_what_is_kept_is_proven_and_what_has_no_hash_is_said_to_have_none(ana: Operator, incident: str) -> None:
    told = ana.asks("evidence", "verify", incident)
    verdicts = [(each["what"].partition(" ")[0].partition("/")[0], each["verdict"]) for each in told["found"]]
    assert verdicts == [
        ("trail", "holds"),
        ("manifest", "holds"),
        ("guardduty", "holds"),
        ("ebs.snapshot_volumes", "no hash"),
    ]
    (copies,) = [each for each in told["found"] if each["verdict"] == "no hash"]
    assert "snap-" in copies["where"]
    shown = ana.types("evidence", "verify", incident)
    assert shown.exit_code == 0
    assert "All of it is proven: 4 things were looked at." in shown.output


@pytest.mark.parametrize("word", ["events/", "manifests/"])
def test_one_flipped_byte_of_what_is_kept_is_named(story: Story, ana: Operator, incident: str, word: str) -> None:
    assert verified(ana, incident, 0) == {}
    bucket, name = kept(story, word)
    s3 = story.sandbox.client("s3")
    held = s3.get_object(Bucket=bucket, Key=name)
    content = bytearray(held["Body"].read())
    content[len(content) // 2] ^= 1
    of = {"Bucket": bucket, "Key": name, "VersionId": held["VersionId"]}
    s3.delete_object(**of, BypassGovernanceRetention=True)
    s3.put_object(Bucket=bucket, Key=name, Body=bytes(content))
    assert verified(ana, incident, 6) == {f"s3://{bucket}/{name}": "broken"}


def test_a_record_that_was_taken_out_of_the_trail_is_named(story: Story, ana: Operator, incident: str) -> None:
    assert verified(ana, incident, 0) == {}
    trail = [row for row in story.rows(f"AUDIT#{incident}") if row["sk"].startswith("ec2-isolate")]
    last = max(trail, key=lambda row: str(row["sk"]))
    chain, _, sequence = str(last["sk"]).partition("#")
    story.sandbox.client("dynamodb").delete_item(
        TableName=story.lab.table, Key={"pk": {"S": last["pk"]}, "sk": {"S": last["sk"]}}
    )
    amiss = verified(ana, incident, 6)
    assert amiss[f"record {int(sequence)} of {chain} in {incident}"] == "missing"


def test_what_the_caller_may_not_read_is_not_proven(story: Story, incident: str, tmp_path: Path) -> None:
    ben = Operator(story, "ben")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        ben.sits_down(tmp_path, "evidence-reader")
        assert set(verified(ben, incident, 6).values()) == {"unread"}
        (tmp_path / ".firebreak" / "sandbox.json").unlink()
        ben.sits_down(tmp_path)
        amiss = verified(ben, incident, 6)
    assert list(amiss.values()) == ["unread"]
    assert "vidence" in next(iter(amiss))
    assert {refusal.split()[1] for refusal in story.refusals()} == {"s3:GetObject", "s3:ListBucket"}


def test_an_incident_that_is_not_there_is_not_found(ana: Operator) -> None:
    assert ana.types("evidence", "verify", "inc-000000000000").exit_code == 4
