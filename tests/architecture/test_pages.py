"""The pages lead where they say, spell as the code does, and show commands that exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import click
import pytest
import yaml
from botocore import xform_name

from docs import flow
from docs.generate import BLOCK, pages
from firebreak.cli.main import main
from firebreak.core.deployment import Deployment
from firebreak.operator_files import load_deployment
from tests.architecture.tree import ROOT, project_files, shown

PAGES = [path for path in project_files() if path.suffix == ".md" and "tests" not in path.parts]
LINK = re.compile(r"!?\[[^\]]*\]\((?P<to>[^)\s]+)\)")
FENCE = re.compile(r"^ *```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?P<text>[^`\n]+)`")

AMERICAN = (
    r"\b(colors?|behaviors?|favor\w*|centers?|gray|cancel(ed|ing)|label(ed|ing)|catalog|license[sd]? to|defense|"
    r"normaliz\w+|analyz\w+|organiz\w+|recogniz\w+|seriali[z]\w+|judgment)\b"
)
"""The project spells as in Britain, save where AWS has a word of its own (synthesize, Authorize…)."""

PRAISE = (
    r"\b(best|blazing\w*|seamless\w*|powerful|robust|effortless\w*|simply|world-class|cutting-edge|revolutionary|"
    r"state-of-the-art|enterprise-grade|battle-tested|easy|easily|amazing|perfect\w*|lightning)\b"
)


def prose(page: Path) -> str:
    """Return a page without code and without what is generated, which has its own tests."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return INLINE.sub("", LINK.sub(lambda found: found[0].split("](")[0], FENCE.sub("", text)))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#{1,6} (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for found in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        to, _, anchor = found["to"].partition("#")
        if to.startswith("https://"):
            continue
        target = (page.parent / to).resolve() if to else page
        if to and target not in project_files():
            broken.append(f"{found['to']}: no such file in the project")
        elif anchor and anchor not in anchors(target):
            broken.append(f"{found['to']}: no such heading")
    assert not broken, "\n".join(broken)


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Some `code` here\n\n[a](#some-code-here) [b](nowhere.md) [c](#nowhere)\n", encoding="utf-8")
    assert anchors(page) == {"some-code-here"}
    with pytest.raises(AssertionError) as caught:
        test_every_link_leads_somewhere(page)
    assert "nowhere.md: no such file" in str(caught.value)
    assert "#nowhere: no such heading" in str(caught.value)
    assert "some-code-here: " not in str(caught.value)


def test_every_page_is_reached_from_the_readme() -> None:
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        waiting += [
            (page.parent / to.split("#")[0]).resolve()
            for to in LINK.findall(page.read_text(encoding="utf-8"))
            if to.split("#")[0] and not to.startswith("https://")
        ]
    assert seen >= set(pages())
    assert ROOT / "CHANGELOG.md" in seen


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_page_is_spelt_as_the_code_is_and_praises_nothing(page: Path) -> None:
    found = [word[0] for pattern in (AMERICAN, PRAISE) for word in re.finditer(pattern, prose(page), re.IGNORECASE)]
    assert not found, ", ".join(found)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_nothing_on_a_page_is_taken_for_a_tag(page: Path) -> None:
    text = re.sub(r"<!--.*?-->", "", FENCE.sub("", page.read_text(encoding="utf-8")))
    assert re.findall(r"<[A-Za-z/][^>\n]*>", INLINE.sub("", text)) == [], "a forge swallows it: put it into backticks"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_no_block_of_code_is_inside_a_list(page: Path) -> None:
    assert not re.search(r"^ +```", page.read_text(encoding="utf-8"), re.MULTILINE), "renderers differ about it"


def test_the_picture_is_what_is_drawn() -> None:
    assert flow.FILE.read_text(encoding="utf-8") == flow.render(), "run `make docs`"


def test_no_box_of_the_picture_lies_on_another_or_outside() -> None:
    for number, box in enumerate(flow.BOXES):
        assert box.x in range(flow.WIDTH - box.width)
        assert box.y in range(flow.HEIGHT - box.height)
        for other in flow.BOXES[number + 1 :]:
            beside = box.x + box.width <= other.x or other.x + other.width <= box.x
            above = box.y + box.height <= other.y or other.y + other.height <= box.y
            assert beside or above, (box.lines, other.lines)


def commands(page: Path) -> Iterator[str]:
    """Yield every command that a page shows, in shell blocks or between backticks."""
    text = page.read_text(encoding="utf-8")
    for block in FENCE.finditer(text):
        if block["language"] == "sh":
            for line in block["text"].replace("\\\n", " ").splitlines():
                yield re.sub(r"^(\w+=\S+ )+", "", line.strip().partition(" #")[0]).strip()
    for found in INLINE.finditer(FENCE.sub("", text)):
        if re.match(r"(firebreak|make|aws|cdk) [a-z]", found["text"]):
            yield found["text"]


SHOWN = sorted({(page.name, command) for page in PAGES for command in commands(page) if command})


@pytest.mark.parametrize(("page", "command"), SHOWN, ids=lambda each: each)
def test_a_command_that_is_shown_exists(page: str, command: str) -> None:
    for part in command.split(" | "):
        words = shlex.split(part.removeprefix(".venv/bin/"))
        match words:
            case ["firebreak", *arguments]:
                _of_ours(arguments)
            case ["make", *targets]:
                makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
                goals = [target for target in targets if "=" not in target]
                assert all(re.search(rf"^{goal}:", makefile, re.MULTILINE) for goal in goals), command
            case ["aws", service, operation, *arguments]:
                _of_aws(service, operation, arguments)
            case ["python", "-m", module, *_]:
                assert importlib.util.find_spec(module), command
            case ["cdk", verb, *_]:
                assert verb in ("bootstrap", "deploy", "destroy", "synth")
            case ["kubectl" | "helm" | "jq" | "export", *_]:
                pass  # not ours to know
            case _:
                raise AssertionError(f"{page}: {command}: nobody knows whether this exists")


def _of_ours(arguments: list[str]) -> None:
    command: click.Command = main
    context = click.Context(main)
    while arguments and isinstance(command, click.Group) and not arguments[0].startswith("-"):
        found = command.get_command(context, arguments.pop(0))
        assert found is not None
        command = found
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "-h"}
    assert {word for word in arguments if word.startswith("-") and word != "-"} <= known


def _of_aws(service: str, operation: str, arguments: list[str]) -> None:
    model: Any = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[operation]).input_shape
    members = {xform_name(name, "-") for name in shape.members} | {"query", "output", "region"}
    given = {word.removeprefix("--") for word in arguments if word.startswith("--")}
    assert {re.sub(r"^no-", "", name) for name in given} <= members


def test_commands_are_found_and_unknown_ones_are_not_let_pass() -> None:
    assert len(SHOWN) > 30
    for command in (
        "firebreak nothing",
        "firebreak mode --nothing",
        "make nothing",
        "aws ec2 describe-nothing",
        "sudo x",
    ):
        with pytest.raises((AssertionError, KeyError)):
            test_a_command_that_is_shown_exists("a page", command)


def yaml_blocks(page: str) -> list[dict[str, Any]]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [yaml.safe_load(block["text"]) for block in FENCE.finditer(text) if block["language"] == "yaml"]


def test_the_settings_shown_are_settings(tmp_path: Path) -> None:
    tried = 0
    for shown_settings in yaml_blocks("deploying.md"):
        if "oauth_config" in shown_settings:
            continue
        file = tmp_path / "firebreak.yaml"
        file.write_text(yaml.safe_dump(shown_settings), encoding="utf-8")
        assert isinstance(load_deployment(file), Deployment)
        tried += 1
    assert tried >= 3


def test_the_slack_app_may_post_and_nothing_else() -> None:
    (manifest,) = (block for block in yaml_blocks("deploying.md") if "oauth_config" in block)
    assert manifest["oauth_config"]["scopes"] == {"bot": ["chat:write"]}
    assert manifest["settings"]["interactivity"]["request_url"].endswith("/slack/interactions")


def test_the_changelog_tells_permissions_apart() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    assert versions
    assert all("### Permissions" in version for version in versions if "### Added" in version)
