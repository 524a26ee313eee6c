"""What operators write: every mistake is told with file and line, and none gets further than this."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from firebreak import operator_files
from firebreak.core.action import Action, AnyAction, NoParameters
from firebreak.core.clients import Clients
from firebreak.core.deployment import Deployment
from firebreak.core.errors import PlaybookError, SettingsError
from firebreak.core.finding import Severity
from firebreak.core.model import Model
from firebreak.core.plan import Done, Draft, Plan, Progress, Verification
from firebreak.core.playbook import Playbooks
from firebreak.core.target import Instance, Place
from firebreak.operator_files import load_deployment, load_playbooks

ROOT = Path(__file__).resolve().parents[1]


class Parameters(Model):
    seconds: int = Field(default=60, ge=5)
    loud: bool = False


class _Act(Action[Instance, Parameters, NoParameters]):
    """Do nothing to an instance."""

    name = "test.act"
    effect = "reversible"
    target: ClassVar[type[Place]] = Instance
    aspect = "nothing"
    parameters = Parameters
    before = NoParameters
    reads = ()
    writes = ()

    def plan(self, clients: Clients, target: Instance, parameters: Parameters) -> Draft:
        return Draft(before={}, changes=())

    def apply(self, clients: Clients, plan: Plan) -> Progress:
        return Done()

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        return Verification(ok=True, saw=())

    def undo(self, clients: Clients, plan: Plan) -> Progress:
        return Done()


class _Destroy(Action[Instance, NoParameters, NoParameters]):
    """Do away with an instance."""

    name = "test.destroy"
    effect = "destructive"
    target: ClassVar[type[Place]] = Instance
    aspect = "everything"
    before = NoParameters
    reads = ()
    writes = ()

    def plan(self, clients: Clients, target: Instance, parameters: NoParameters) -> Draft:
        return Draft(before={}, changes=())

    def apply(self, clients: Clients, plan: Plan) -> Progress:
        return Done()

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        return Verification(ok=True, saw=())


ACTIONS: dict[str, AnyAction] = {action.name: action for action in (_Act(), _Destroy())}

Load = Callable[..., Playbooks]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str | bytes = "", **files: str) -> Playbooks:
        folder = tmp_path / "playbooks"
        folder.mkdir(exist_ok=True)
        for name, content in (({"one": text} if text else {}) | files).items():
            (folder / f"{name}.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_playbooks(folder, ACTIONS.__getitem__, ACTIONS, {"guardduty", "falco"})

    return load


GOOD = """\
# a comment
playbooks:
  - name: first
    description: The first.
    priority: 10
    match:
      source: guardduty
      type: "Backdoor:EC2/*"
      severity: {at_least: high}
      account: 012345678901
    steps:
      - action: test.act
        consent: auto
        with:
          seconds: 90
  - name: second
    description: The second.
    priority: 20
    match: {}
    steps: []
"""


def refused(load: Load, text: str | bytes) -> str:
    """Return what is said of a folder with one file, without the folder."""
    with pytest.raises(PlaybookError) as caught:
        load(text)
    return re.sub(r"\S*/playbooks/", "", str(caught.value))


def edited(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_a_playbook_becomes_what_the_pipeline_reads(load: Load) -> None:
    first, second = load(GOOD).playbooks
    assert (first.name, second.name) == ("first", "second")
    assert first.match.type == ("Backdoor:EC2/*",)
    assert first.match.account == ("012345678901",)
    assert first.match.severity is not None
    assert first.match.severity.at_least is Severity.HIGH
    (step,) = first.steps
    assert step.model_dump() == {
        "action": "test.act",
        "parameters": {"seconds": 90, "loud": False},
        "consent": "auto",
        "stage": "contain",
        "effect": "reversible",
        "target_kind": "instance",
    }


def test_several_files_are_one_set_whatever_they_are_called(load: Load) -> None:
    first, second = GOOD.split("  - name: second")
    apart = load(b=first, a="playbooks:\n  - name: second" + second)
    assert [playbook.name for playbook in apart.playbooks] == ["first", "second"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    priority: 10", "    priorty: 10", "one.yaml:5: unknown key 'priorty'; did you mean priority?"),
        ("      type:", "      types:", "one.yaml:8: unknown key 'types'; did you mean type?"),
        ("          seconds: 90", "          second: 90", "one.yaml:15: unknown key 'second'; did you mean seconds?"),
        ("        consent: auto", "        consnt: auto", "unknown key 'consnt'; did you mean consent?"),
        ("# a comment", "colour: red", "one.yaml:1: unknown key 'colour'; a file holds `playbooks` and nothing else"),
        ("    priority: 10\n", "", "one.yaml:3: priority is missing; write it"),
        ("        consent: auto\n", "", "one.yaml:12: consent is missing; write it"),
        ("    match: {}\n", "", "match is missing; write it"),
        ("priority: 10", 'priority: "10"', "one.yaml:5: priority is '10': Input should be a valid integer"),
        ("priority: 10", "priority: true", "one.yaml:5: priority is True: Input should be a valid integer"),
        ("priority: 10", "priority: 0", "one.yaml:5: priority is 0"),
        ("priority: 10", "priority:", "one.yaml:5: priority is empty"),
        ("seconds: 90", "seconds: 1", "one.yaml:15: seconds is 1: Input should be greater than or equal to 5"),
        ("seconds: 90", "seconds: ninety", "one.yaml:15: seconds is 'ninety': Input should be a valid integer"),
        ("seconds: 90", "loud: yes", "one.yaml:15: loud is 'yes': Input should be a valid boolean"),
        ("consent: auto", "consent: never", "one.yaml:13: consent is 'never': Input should be 'auto' or 'ask'"),
        ("test.act", "test.atc", "one.yaml:12: no action 'test.atc'; did you mean test.act?"),
        ("test.act", "../os", "one.yaml:12: no action '../os'; there is test.act, test.destroy"),
        ("source: guardduty", "source: guardsduty", "one.yaml:7: no source 'guardsduty'; did you mean guardduty?"),
        ("at_least: high", "at_least: High", "one.yaml:9: not a severity; one of info, low"),
        ("at_least: high", "at_least: high, at_most: low", "one.yaml:9: at least high and at most low fits nothing"),
        ("012345678901", "12345", "one.yaml:10: "),
        ('"Backdoor:EC2/*"', "[]", "one.yaml:8: an empty list fits nothing"),
        ('"Backdoor:EC2/*"', "[a, 5]", "one.yaml:8: 1 is 5: Input should be a valid string"),
        ("      account:", "      kind: server\n      account:", "one.yaml:10: no kind of target is called 'server'"),
        ("name: first", "name: First One", "one.yaml:3: name is 'First One': "),
        ("name: second", "name: first", "one.yaml:16: name first is taken by one.yaml:3; every"),
        ("priority: 20", "priority: 10", "one.yaml:18: priority 10 is taken by one.yaml:5; every"),
        ("priority: 10", "priority: 30", "one.yaml:6: first can never match: second (priority 20) takes everything"),
        ("consent: auto", "consent: ask\n        stage: later", "one.yaml:14: stage is 'later'"),
        ("steps: []", "steps: {}", "one.yaml:20: steps is {}"),
        ("steps: []", "steps: [act]", "one.yaml:20: this is 'act': Input should be an object"),
        ("description: The first.", "name: again", "one.yaml:4: 'name' is written twice, first on line 3; keep one"),
        ("          seconds: 90", "          seconds: 90\n          seconds: 91", "one.yaml:16: 'seconds' is written"),
        (
            "test.act\n        consent: auto\n        with:\n          seconds: 90",
            "test.destroy\n        consent: auto",
            "one.yaml:13: test.destroy is destructive and always asks; write `consent: ask`",
        ),
        (
            "test.act\n        consent: auto\n        with:\n          seconds: 90",
            "test.destroy\n        consent: ask\n        stage: preserve",
            "one.yaml:14: test.destroy is destructive, and preserve only keeps",
        ),
        (
            "          seconds: 90",
            "          seconds: 90\n      - {action: test.act, consent: ask, with: {seconds: 90, loud: false}}",
            "one.yaml:16: the same step is written before; take one out",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(load: Load, old: str, new: str, said: str) -> None:
    assert said in refused(load, edited(old, new))


def test_a_destructive_step_that_asks_is_taken(load: Load) -> None:
    old = "test.act\n        consent: auto\n        with:\n          seconds: 90"
    (step,) = load(edited(old, "test.destroy\n        consent: ask")).playbooks[0].steps
    assert (step.stage, step.consent, step.effect) == ("eradicate", "ask", "destructive")


def test_all_mistakes_of_a_playbook_are_told_at_once(load: Load) -> None:
    said = refused(load, edited("    priority: 10\n", "    colour: red\n").replace("The first.", "[]"))
    assert [line.split(": ")[0] for line in said.splitlines()] == ["one.yaml:4", "one.yaml:3", "one.yaml:5"]


def test_a_name_or_priority_of_another_file_is_taken_too(load: Load) -> None:
    with pytest.raises(PlaybookError, match=r"two\.yaml:3: name first is taken by .*one\.yaml:3"):
        load(one=GOOD, two=GOOD)


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "[]", "playbooks:", "playbooks: []", "playbooks: {}", "just text", "playbooks: [1]", "5"],
)
def test_a_file_without_playbooks_is_a_mistake(load: Load, text: str) -> None:
    assert re.match(r"one\.yaml:1: ", refused(load, text or "\n"))


def test_a_folder_that_is_missing_or_empty_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match="no such folder"):
        load_playbooks(tmp_path / "nowhere", ACTIONS.__getitem__, ACTIONS, ())
    (tmp_path / ".hidden.yaml").write_text(GOOD)
    (tmp_path / "one.yaml~").write_text(GOOD)
    with pytest.raises(PlaybookError, match=r"no \*\.yaml file"):
        load_playbooks(tmp_path, ACTIONS.__getitem__, ACTIONS, ())
    (tmp_path / "one.yml").write_text(GOOD)
    assert load_playbooks(tmp_path, ACTIONS.__getitem__, ACTIONS, {"guardduty"}).playbooks


@pytest.mark.parametrize(
    "text",
    [GOOD.replace("playbooks:", "playbooks: &all", 1).encode(), GOOD.encode("utf-16"), b"\xff", b"a: \x00", b"[" * 99],
)
def test_hostile_files_are_refused_as_playbooks_and_as_settings(load: Load, tmp_path: Path, text: bytes) -> None:
    assert re.match(r"one\.yaml:\d+: ", refused(load, text))
    path = tmp_path / "firebreak.yaml"
    path.write_bytes(text)
    with pytest.raises(SettingsError, match=r"^.*firebreak\.yaml:\d+: "):
        load_deployment(path, ())


def settings(tmp_path: Path, text: str) -> Deployment:
    path = tmp_path / "firebreak.yaml"
    path.write_text(text, encoding="utf-8")
    return load_deployment(path, ACTIONS)


def test_settings_become_what_the_pipeline_reads(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """\
home: {account: 111122223333, region: eu-central-1}
mode: approve
people:
  - {name: ada, iam: "arn:aws:iam::111122223333:user/ada"}
approvers:
  - people: ada
guard:
  budgets: {test.act: 3}
""",
    )
    assert found.home.account == "111122223333"
    assert found.mode == "approve"
    assert found.guard.budget("test.act") == 3


@pytest.mark.parametrize("text", ["", "# all comments\n", "---\n", "null"])
def test_settings_without_a_word_are_the_defaults(tmp_path: Path, text: str) -> None:
    assert settings(tmp_path, text) == Deployment()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prefix: x\nmodus: auto\n", "2: unknown key 'modus'; did you mean mode?"),
        ("guard:\n  protected_tag: {}\n", "2: unknown key 'protected_tag'; did you mean protected_tags?"),
        ("\nmode: auto\n", "2: in mode auto people may be asked"),
        ("mode: off\n", "1: mode is 'off': Input should be 'observe', 'approve' or 'auto'"),
        ("people:\n  - name: ada\n\n  - name: ada\n", "4: ada has the same; one human is one person"),
        ("members:\n  - account: 111122223333\n", "2: the roles in account 111122223333 name the account they trust"),
        ("approvers:\n  - effects: collect\n    people: [eve]\n", "3: eve is not listed under people"),
        ("guard:\n  budgets:\n    test.atc: 3\n", "3: no action 'test.atc'; did you mean test.act?"),
        ("guard:\n  budgets:\n    test.act: many\n", "3: test.act is 'many': Input should be a valid integer"),
        ("retention:\n  logs: 91\n", "2: logs is 91"),
        ("- a\n", "1: this is ['a']: Input should be an object"),
        ("text\n", "1: this is 'text': Input should be an object"),
        ("mode: observe\nmode: auto\n", "2: 'mode' is written twice, first on line 1"),
    ],
)
def test_a_mistake_in_the_settings_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, text)
    assert str(caught.value).split("firebreak.yaml:", 1)[1].startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('guard:\n  budgets:\n    "a\\u202e\\e[2J": x\n', "3: a[2J is 'x': Input should be a valid integer"),
        ('guard:\n  budgets:\n    ? "' + "x" * 10_000 + '"\n    : 3\n', "3: no action 'xxx"),
    ],
)
def test_what_is_quoted_of_a_file_is_short_and_plain(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, text)
    told = str(caught.value).split("firebreak.yaml:", 1)[1]
    assert told.startswith(said)
    assert len(told) < 1_100


def test_however_many_mistakes_a_file_has_few_are_put_into_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worded: list[str] = []

    def near(word: str, known: Collection[str]) -> str:
        worded.append(word)
        return "mend it"

    monkeypatch.setattr(operator_files, "_near", near)
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, "".join(f"k{number}: 1\n" for number in range(5_000)))
    assert len(worded) == operator_files.ERRORS_READ
    assert str(caught.value).splitlines()[operator_files.ERRORS_SHOWN :] == ["… and 4990 more"]


def test_settings_that_are_not_there_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml:1: cannot be read: No such file"):
        load_deployment(tmp_path / "nowhere.yaml", ())


def test_the_shipped_settings_are_the_defaults() -> None:
    assert load_deployment(ROOT / "firebreak.yaml") == Deployment()


def test_what_the_shipped_settings_show_in_comments_would_be_taken(tmp_path: Path) -> None:
    shown = [
        re.sub(r"^# ?", "", line)
        for line in (ROOT / "firebreak.yaml").read_text(encoding="utf-8").splitlines()
        if re.match(r"# +(- )?[a-z\"].*:|# +- ", line) and "docs/" not in line and "`" not in line.split(" #")[0]
    ]
    # roles of another account cannot trust an account that nobody has named
    text = "\n".join(shown).replace("account: current ", 'account: "999988887777" ', 1)
    text = text.replace("    ec2.isolate_instance", "    test.act")
    found = settings(tmp_path, text)
    assert set(Deployment.model_fields) <= set(re.findall(r"^([a-z_]+):", text, re.MULTILINE))
    plain = Deployment()
    for name in ("prefix", "mode", "environment", "approval", "detection", "retention", "bulk_executions"):
        assert getattr(found, name) == getattr(plain, name), name
    assert found.guard.model_copy(update={"budgets": {}}) == plain.guard
