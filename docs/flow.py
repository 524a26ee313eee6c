"""The picture of the way of a finding, drawn as SVG: `make docs` writes docs/flow.svg."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

FILE = Path(__file__).with_name("flow.svg")
WIDTH, HEIGHT = 1000, 550
INK, PAPER, LINE = "#1f2933", "#ffffff", "#52606d"
FILLS = {"outside": "#eef2f6", "way": "#e3f0fb", "function": "#fdf1dc", "account": "#e6f4ea", "area": "#f8fafc"}


@dataclass(frozen=True)
class Box:
    """One box.

    Attributes:
        x, y, width, height: where it is.
        fill: what sort of thing it is, a key of FILLS.
        lines: its words; the first is bold.
        top: whether the words stand at the top, with room for other boxes below.
    """

    x: int
    y: int
    width: int
    height: int
    fill: str
    lines: tuple[str, ...]
    top: bool = False

    def draw(self) -> str:
        """Return it as SVG."""
        middle = self.x + self.width / 2
        first = self.y + 22 if self.top else self.y + self.height / 2 - 8 * (len(self.lines) - 1) + 4.5
        words = "".join(
            f'<text x="{middle:g}" y="{first + 16 * number:g}" font-weight="{"normal" if number else "bold"}">'
            f"{escape(line)}</text>"
            for number, line in enumerate(self.lines)
        )
        return (
            f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="6"'
            f' fill="{FILLS[self.fill]}" stroke="{LINE}"/>{words}'
        )


@dataclass(frozen=True)
class Arrow:
    """One arrow along some points, with a word beside it."""

    points: tuple[tuple[int, int], ...]
    word: str = ""
    at: tuple[int, int] = (0, 0)

    def draw(self) -> str:
        """Return it as SVG."""
        path = " ".join(f"{x},{y}" for x, y in self.points)
        word = f'<text x="{self.at[0]}" y="{self.at[1]}" font-size="11" fill="{LINE}">{escape(self.word)}</text>'
        line = f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="1.5" marker-end="url(#head)"/>'
        return line + (word if self.word else "")


AREAS = (
    Box(460, 16, 190, 372, "area", ("Respond", "state machine"), top=True),
    Box(460, 408, 524, 116, "area", ("Every account that is watched",), top=True),
)
BOXES = (
    Box(16, 30, 150, 56, "outside", ("GuardDuty", "default bus, rule")),
    Box(16, 106, 150, 56, "outside", ("Other regions", "and member accounts")),
    Box(16, 182, 150, 56, "outside", ("Falco", "sidekick, SQS, Pipe")),
    Box(206, 106, 104, 56, "way", ("Bus", "archive, replay")),
    Box(206, 202, 104, 40, "way", ("urgent lane",)),
    Box(206, 252, 104, 40, "way", ("bulk lane",)),
    Box(344, 222, 92, 50, "function", ("Triage", "dedupe, lock")),
    Box(478, 66, 154, 56, "function", ("Plan", "facts, decision, plans")),
    Box(478, 146, 154, 56, "function", ("Ask", "about one plan's digest")),
    Box(478, 226, 154, 68, "function", ("Execute", "lease, ledger,", "apply, verify")),
    Box(478, 318, 154, 56, "function", ("Close", "manifest, notice")),
    Box(696, 146, 112, 56, "outside", ("People", "Slack, command")),
    Box(854, 146, 130, 56, "function", ("Answer", "checks, puts votes")),
    Box(854, 232, 130, 56, "function", ("Decide", "counts votes")),
    Box(700, 318, 284, 56, "function", ("Sweep", "what expired, failed, waits or is stuck")),
    Box(478, 440, 154, 70, "account", ("A role per action", "what it declares,", "cut to one plan")),
    Box(645, 440, 154, 70, "account", ("Observer role", "reads, for Plan")),
    Box(812, 440, 154, 70, "account", ("Prepare role", "quarantine groups", "of every VPC")),
    Box(
        16,
        320,
        420,
        72,
        "way",
        ("One table, one bucket", "conditional writes: before-states, votes, audit chain;", "raw events and manifests"),
    ),
    Box(16, 440, 230, 70, "function", ("Prepare", "at deployment, daily,", "and for a new VPC")),
)
ARROWS = (
    Arrow(((166, 58), (190, 58), (190, 124), (204, 124))),
    Arrow(((166, 134), (204, 134))),
    Arrow(((166, 210), (190, 210), (190, 144), (204, 144))),
    Arrow(((258, 162), (258, 200)), "rules", (280, 186)),
    Arrow(((310, 222), (328, 222), (328, 238), (342, 238))),
    Arrow(((310, 272), (328, 272), (328, 256), (342, 256))),
    Arrow(((390, 222), (390, 94), (476, 94)), "starts", (424, 86)),
    Arrow(((390, 272), (390, 318))),
    Arrow(((555, 122), (555, 144))),
    Arrow(((555, 202), (555, 224))),
    Arrow(((555, 294), (555, 316))),
    Arrow(((632, 174), (694, 174)), "asks", (672, 166)),
    Arrow(((808, 174), (852, 174))),
    Arrow(((919, 202), (919, 230)), "stream", (946, 220)),
    Arrow(((854, 260), (634, 260)), "resumes", (752, 252)),
    Arrow(((478, 260), (448, 260), (448, 475), (476, 475))),
    Arrow(((246, 475), (430, 475), (430, 534), (889, 534), (889, 512))),
)


def render() -> str:
    """Return the picture."""
    head = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{LINE}"/></marker></defs>'
    )
    parts = "\n".join(part.draw() for part in (*AREAS, *ARROWS, *BOXES))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' font-family="Helvetica, Arial, sans-serif" font-size="13" fill="{INK}" text-anchor="middle">\n'
        f'<title>The way of a finding</title>\n{head}\n<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>\n'
        f"{parts}\n</svg>\n"
    )
