"""What is contained is watched: somebody opens it by hand, and people hear of it."""

from __future__ import annotations

from tests.e2e.story import Story


def test_what_a_person_takes_out_of_quarantine_is_told_once_and_so_is_its_return(story: Story) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    story.put(story.guardduty(instance))
    assert story.isolated(instance), story.failures()
    (incident,) = story.incidents()
    ec2 = story.sandbox.client("ec2")

    def move(groups: dict[str, list[str]]) -> None:
        for eni, names in groups.items():
            (found,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
            filters = [{"Name": "group-name", "Values": names}, {"Name": "vpc-id", "Values": [found["VpcId"]]}]
            ids = [group["GroupId"] for group in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]]
            ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=ids)

    def told(words: str) -> int:
        return sum(words in notice for notice in story.sandbox.notices())

    sealed = story.groups(instance)
    story.sandbox.advance(600)
    assert (told("differs from its record"), told("is as recorded again")) == (0, 0)
    move(before)
    story.sandbox.advance(900)
    assert (told("differs from its record"), told("is as recorded again")) == (1, 0), story.failures()
    assert story.steps(incident.id)["ec2.isolate_instance"].difference
    assert story.groups(instance) == before, "it only tells"
    move(sealed)
    story.sandbox.advance(900)
    assert (told("differs from its record"), told("is as recorded again")) == (1, 1), story.failures()
    assert story.steps(incident.id)["ec2.isolate_instance"].difference == ()
    assert story.whole(incident.id)
