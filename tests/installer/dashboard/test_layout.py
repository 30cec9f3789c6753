"""The page with a month of work in a real Chromium: nothing cut, nothing overlaps, axe content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pictures_page
import pytest
import serving
from books import HOUR, NOON, OPUS, answer, budget, cool, decide, policy
from claude_tier.routing import by_hand
from fetch_axe import AXE
from serving import Dashboard

Start = Callable[[], Dashboard]
Open = Callable[..., Any]

READ = "html[data-read]"
WIDTHS = (1280, 390)
LONG = (
    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/"
    "eu.anthropic.claude-opus-5-5-20260401-v1:0"
)
UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
CUT = """() => {
  const found = [];
  const wide = document.documentElement.clientWidth;
  const whole = document.documentElement.scrollWidth;
  if (whole > wide) found.push(`the page is ${whole} wide`);
  const hidden = ".unseen, thead, svg, details:not([open]) > :not(summary)";
  for (const one of document.querySelectorAll("main *, header *, nav *, footer *, #emergency *")) {
    const box = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    if (!box.width || one.closest(hidden) || style.position === "absolute") continue;
    const what = `${one.tagName}.${one.className} ${one.textContent.slice(0, 40)}`;
    if (box.right > wide + 1 || box.left < -1) found.push(`${what} leaves the page`);
    const cut = one.scrollWidth > one.clientWidth + 1 && style.overflow !== "visible";
    if (cut && one.clientWidth) found.push(`${what} is cut`);
  }
  return found;
}"""
OVERLAPS = """() => {
  const boxes = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const hidden = "script, style, option, .unseen, .skip, [hidden]";
  const folded = "details:not([open]) > :not(summary)";
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest(`${hidden}, ${folded}`)) continue;
    if (innerWidth < 700 && parent.closest("thead")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width > 1) boxes.push([box, node.data.trim().slice(0, 40)]);
    }
  }
  const found = [];
  boxes.forEach(([one, text], index) => {
    for (const [other, words] of boxes.slice(index + 1)) {
      const x = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const y = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (x > 2 && y > 6) found.push(`${text} / ${words}`);
    }
  });
  return [boxes.length > 300, ...found];
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    found = AXE.find()
    try:
        return (found or AXE.fetch()).read_text("utf-8")
    except SystemExit as fault:
        pytest.skip(str(fault))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the history of the pictures: every section has something to show."""
    home = tmp_path_factory.mktemp("month")
    with pictures_page.scene(home):
        pictures_page.history(home)
    return home


@pytest.fixture
def month(history: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    monkeypatch.setenv("HOME", str(history))
    shop = str(history / "src" / pictures_page.PROJECTS[0])
    with serving.serving(shop, clock=lambda: pictures_page.NOW) as here:
        yield here


@pytest.mark.parametrize("width", [*WIDTHS, 768])
def test_a_month_is_shown_whole_and_is_accessible(
    month: Dashboard, page: Open, axe: str, width: int
) -> None:
    """With every detail open: no sideways scrolling, no text on text; contrast, names, roles."""
    shown = page(month.link, width=width, at=pictures_page.NOW)
    shown.wait_for_selector(READ)
    shown.evaluate(UNFOLD)
    shown.locator("#spending-table tbody tr").first.wait_for()
    assert shown.evaluate(CUT) == []
    assert shown.evaluate(OVERLAPS) == [True]
    assert inaccessible(shown, axe) == {"light": [], "dark": []}


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_cut_nothing(home: Path, dashboard: Start, page: Open, width: int) -> None:
    """Addresses of models in a cloud, deep folders, a model of 150 characters."""
    policy(home, budgets=[budget("b" * 120)], assign={"a" * 90: {"tier": "haiku", "effort": None}})
    for number in range(9):
        cwd = f"/home/dev/{'work-with-a-long-name/' * 6}project-{number}"
        answer(
            home, OPUS, at=NOON - HOUR, cwd=cwd, session=f"s{number}", agent=f"agent-{cwd[-70:]}"
        )
    answer(home, "m" * 150, at=NOON - HOUR)
    answer(home, LONG, at=NOON - HOUR)
    names = {"agent": "x" * 80, "asked": LONG, "would": LONG, "description": "y" * 200}
    decide("t1", at=NOON, **names)
    decide("t2", at=NOON, **names, action="denied", set_tier=None, reason="r" * 150)
    shown = page(dashboard().link, width=width)
    shown.wait_for_selector(READ)
    found = {}
    for by in ("project", "agent", "model"):
        shown.locator(f"[name=by][value={by}]").check(force=True)
        shown.evaluate(UNFOLD)
        shown.locator("#spending-rows caption").get_by_text(f"By {by}", exact=True).wait_for()
        found[by] = [*shown.evaluate(CUT), *shown.evaluate(OVERLAPS)[1:]]
    assert found == {"project": [], "agent": [], "model": []}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_router_in_trouble_cuts_nothing_and_is_accessible(
    home: Path, dashboard: Start, page: Open, axe: str, width: int
) -> None:
    """The banner and lines of cooldowns, with names as long as they may be."""
    policy(home)
    cool("p" * 60, "m" * 150)
    cool("openrouter", LONG, cause="billing")
    by_hand.turn_on(NOON, None)
    shown = page(dashboard().link, width=width)
    shown.wait_for_selector("#emergency p")
    shown.wait_for_selector(READ)
    assert shown.evaluate(CUT) == []
    assert shown.evaluate(OVERLAPS)[1:] == []
    assert inaccessible(shown, axe) == {"light": [], "dark": []}


def inaccessible(page: Any, axe: str) -> dict[str, list[object]]:
    """The faults that axe finds on the page, by scheme."""
    page.evaluate(axe)
    found: dict[str, list[object]] = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        seen = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert len(seen["passes"]) > 20
        found[scheme] = [
            (one["id"], one["impact"], [node["target"] for node in one["nodes"]][:3])
            for one in seen["violations"]
            if one["impact"] in ("serious", "critical", "moderate")
        ]
    return found


def test_every_picture_is_of_this_page(month: Dashboard) -> None:
    """Each file that docs/dashboard.md shows is made by the script."""
    from shipped import ROOT

    folder = ROOT / "docs/pictures"
    for one in pictures_page.PICTURES:
        file = folder / f"{one.name}.png"
        assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert file.stat().st_size < pictures_page.LARGEST
