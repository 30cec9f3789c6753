"""The page in a real Chromium: what it shows, for whom, and that nothing leaves loopback."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import serving
from books import HAIKU, HOUR, NOON, OPUS, answer, budget, cool, decide, policy
from claude_tier.routing import by_hand, wording
from claude_tier_hooks import ledger, tick
from heartbeats import made
from serving import Dashboard

Start = Callable[[], Dashboard]
Open = Callable[..., Any]

READ = "html[data-read]"
HOSTILE = {
    "markup": '<img src=x onerror="window.hurt=1">',
    "newline": "first\nsecond",
    "turned": "\u202egnp.exe\u2066 \u200f\u05d0",
    "tag end": "</td></table><script>window.hurt=1</script>",
}
# What `visible` makes of them.
SHOWN = {
    "markup": HOSTILE["markup"],
    "newline": "first\u23cesecond",
    "turned": "\\u202egnp.exe\\u2066 \\u200f\u05d0",
    "tag end": HOSTILE["tag end"],
}


def some_work(home: Path) -> None:
    policy(home, budgets=[budget(limit=2.0), budget("week", period="week", limit=50.0)])
    answer(home, OPUS, at=NOON - HOUR, output_tokens=80_000)
    answer(home, HAIKU, at=NOON - HOUR, agent="Explore")
    answer(home, "mystery-1", at=NOON - HOUR)
    decide("toolu_Explore", at=NOON - HOUR)
    for number in range(14):
        decide(f"t{number:02}", at=NOON - 60 + number, agent="Plan", action="denied", set_tier=None)


def text(page: Any, selector: str) -> str:
    return " ".join(page.locator(selector).inner_text().split())


def test_the_page_shows_what_the_api_answers(home: Path, dashboard: Start, page: Open) -> None:
    """Spending, budgets, models, agents, decisions."""
    some_work(home)
    here = dashboard()
    shown = page(here.link)
    shown.wait_for_selector(READ)
    stats = here.get("/api/stats")
    usd = stats["today"]["totals"]["usd"]
    assert f"Spent ${usd:.2f}+" in text(shown, "#today-figures")
    assert "Requests 3 1 of them unpriced" in text(shown, "#today-figures")
    daily = text(shown, "#budget-list li:first-child")
    assert daily.startswith("daily user, day warn")
    assert f"${usd:.2f} of $2.00 used ({int(usd * 50)} %)" in daily
    rows = shown.locator("#spending-rows tbody tr").all_inner_texts()
    usage = here.get("/api/usage")
    assert [row.split()[0] for row in rows] == [*(one["model"] for one in usage["rows"]), "Total"]
    assert "unpriced" in rows[-2]
    agents = shown.locator("#agents-rows tbody tr th").all_inner_texts()
    assert agents == [*(one["agent"] for one in here.get("/api/usage?by=agent")["rows"]), "Total"]
    first = " ".join(shown.locator("#decisions-rows tbody tr").first.inner_text().split())
    assert first.startswith("11:59 Plan look around")
    assert "mystery-1 has no price (1 response)" in text(shown, "#health-list")
    assert shown.locator("#decisions-rows tbody tr").count() == 12


def test_what_the_router_does_not_ask_is_in_the_health_section(
    home: Path, dashboard: Start, page: Open
) -> None:
    """Provider, cause in words, until when and how to clear it; not once it is over."""
    policy(home)
    for cause in wording.CAUSES:
        cool(cause, "x/y:free", cause=cause)
    cool("attic", until=NOON)
    db = ledger.connect(patience=10)
    with ledger.Writing(db):
        db.execute("UPDATE cooldown SET until = NULL WHERE provider = 'key'")
        trying = "UPDATE cooldown SET until = ?, probe = ? WHERE provider = 'server'"
        db.execute(trying, (NOON, NOON + HOUR + 60))
    db.close()
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    found = [" ".join(one.split()) for one in shown.locator("#health-list li").all_inner_texts()]
    ends = {"key": "until its key changes", "server": "until a try under way has succeeded"}
    assert [one for one in found if "is not asked" in one] == [
        f"note {cause}/x/y:free is not asked {ends.get(cause, 'until 14:00')}: {words}."
        f" claude-tier cooldown clear {cause}/x/y:free"
        for cause, words in sorted(wording.CAUSES.items())
    ]
    assert "attic" not in " ".join(found)


def test_emergency_mode_is_a_banner_while_it_is_on(
    home: Path, dashboard: Start, page: Open
) -> None:
    """It comes without a reload, is said aloud once, and goes again."""
    policy(home)
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    assert text(shown, "#emergency") == ""
    by_hand.turn_on(NOON, 7200)
    shown.locator("#emergency").get_by_text("Emergency mode").wait_for()
    assert text(shown, "#emergency") == (
        "Emergency mode: only models on this machine are asked"
        " (switched on by hand, until 14:00). claude-tier emergency off"
    )
    assert shown.locator("#emergency").get_attribute("role") == "status"
    shown.evaluate("document.querySelector('#emergency p').first = true")
    with shown.expect_response("**/api/decisions*"):
        shown.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert shown.evaluate("document.querySelector('#emergency p').first")
    by_hand.turn_off(NOON)
    shown.locator("#emergency p").wait_for(state="detached")


def test_a_banner_says_what_else_keeps_the_router_here(
    home: Path, dashboard: Start, page: Open
) -> None:
    """A budget at stop, and the configuration above it, as the policy has it now."""
    paid = {"local_only": False, "paid": [["openrouter", "x/y"]]}
    policy(home, budgets=[budget(limit=0.001)], router=paid)
    answer(home, at=NOON - 60)
    shown = page(dashboard().link)
    shown.locator("#emergency").get_by_text("Emergency mode").wait_for()
    assert text(shown, "#emergency") == (
        "Emergency mode: only models on this machine are asked (the budget daily is used up,"
        " until Sun 22 Nov, 00:00). claude-tier off --for 1h"
    )
    policy(home, router={"local_only": True, "paid": []})
    shown.locator("#emergency").get_by_text("router.local_only is set").wait_for()
    edit = "To end it, set router: {local_only: false} in config.yaml."
    assert text(shown, "#emergency").endswith(edit)
    assert shown.locator("#emergency code").count() == 0


def test_the_health_section_says_whether_the_heartbeat_lives(
    home: Path, dashboard: Start, page: Open
) -> None:
    """With what to do where it does not, and nothing where nothing may run: most have none."""
    policy(home)
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    assert "eartbeat" not in text(shown, "#health-list")
    made(home).add("---\nname: disk\n---\n- Look.\n")
    tick.mark_alive()
    dead = "fault Heartbeat: its scheduler is dead; last tick 60 min ago."
    for ago, said in ((60, "ok Heartbeat: well, last tick 1 min ago."), (3600, dead)):
        at = NOON + HOUR - ago  # as the dashboard's clock has it
        os.utime(tick.alive_file(), (at, at))
        shown.reload()
        shown.wait_for_selector(READ)
        assert said in text(shown, "#health-list")
        assert ("claude-tier heartbeat status" in text(shown, "#health-list")) is (ago > 180)


def test_a_plan_window_without_a_budget_is_shown(home: Path, dashboard: Start, page: Open) -> None:
    """With its figure and without a level."""
    policy(home, budgets=[])
    db = ledger.connect(patience=10)
    with ledger.Writing(db):
        db.execute("INSERT INTO plan_window VALUES ('seven_day', 40.0, ?, ?)", (NOON + 9e4, NOON))
    db.close()
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    assert "40 % used Resets Sun 22 Nov, 13:00." in text(shown, "#budget-list li")
    assert shown.locator("#budget-list .pill").count() == 0
    assert "Saved" in text(shown, "#today-figures")


def test_the_link_leaves_the_address_and_the_cookie_stays(
    home: Path, dashboard: Start, page: Open
) -> None:
    """A reload needs no code; scripts cannot read the cookie."""
    here = dashboard()
    shown = page(here.link)
    shown.wait_for_selector(READ)
    assert shown.url == f"{here.address}/"
    assert shown.evaluate("document.cookie") == ""
    shown.reload()
    shown.wait_for_selector(READ)
    assert shown.locator("#notice").inner_text() == ""


def test_a_new_link_in_the_same_tab_signs_in(home: Path, dashboard: Start, tab: Any) -> None:
    """Pasted over one that was used: only the fragment changes, and nothing is loaded."""
    here = dashboard()
    tab.goto(here.link)
    tab.wait_for_selector(READ)
    tab.context.clear_cookies()  # what it asks before the next line is refused, and logged
    tab.evaluate("window.same = true")
    tab.goto(here.link)
    tab.wait_for_function("!location.hash")
    answered = "fetch('/api/stats').then((one) => one.status)"
    tab.wait_for_function(f"{answered}.then((status) => status === 200)")
    assert tab.evaluate("window.same")
    assert tab.url == f"{here.address}/"


def test_without_a_link_the_page_says_once_how_to_get_one(
    home: Path, dashboard: Start, tab: Any
) -> None:
    """It shows no figure, and a fault that stays is not written again: it would be read aloud."""
    tab.goto(dashboard().address)
    tab.wait_for_selector(".notice")
    assert "claude-tier dashboard --link" in tab.locator(".notice").inner_text()
    assert not tab.locator("#main").is_visible()
    tab.evaluate("document.querySelector('.notice').first = true")
    with tab.expect_response("**/api/stats"):
        tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    with tab.expect_response("**/api/stats"):
        tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert tab.evaluate("document.querySelector('.notice').first")


def test_the_sums_beside_a_day_by_the_hour_say_what_they_cover(
    home: Path, dashboard: Start, page: Open
) -> None:
    """The chart has 24 hours, the table whole days."""
    some_work(home)
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    assert text(shown, "#spending-rows caption") == "By model"
    shown.get_by_label("24 hours").check(force=True)
    shown.get_by_text("By model, since yesterday 00:00").wait_for()
    shown.get_by_text("By type of agent, since yesterday 00:00").wait_for()


def test_a_transcript_that_grows_is_shown(home: Path, dashboard: Start, page: Open) -> None:
    """Without a reload, and without losing the place of the keyboard."""
    some_work(home)
    here = dashboard()
    shown = page(here.link)
    shown.wait_for_selector(READ)
    shown.evaluate("window.same = true")
    shown.locator("#spending-chart").focus()
    shown.keyboard.press("ArrowLeft")
    before = text(shown, "#spending-readout")
    answer(home, OPUS, at=NOON - 60, output_tokens=30_000)
    usd = here.get("/api/stats")["today"]["totals"]["usd"]
    shown.get_by_text(f"${usd:.2f}+").first.wait_for()
    assert shown.evaluate("window.same && document.activeElement.id") == "spending-chart"
    assert text(shown, "#spending-readout") == before


def test_a_decision_is_shown_with_its_proof(home: Path, dashboard: Start, page: Open) -> None:
    """First as not seen yet, then as set."""
    policy(home)
    decide("toolu_Explore", at=NOON)
    here = dashboard()
    shown = page(here.link)
    shown.wait_for_selector(READ)
    assert "not seen yet" in text(shown, "#decisions-rows tbody tr")
    answer(home, HAIKU, at=NOON, agent="Explore")
    shown.get_by_text("as set").wait_for()


def test_a_server_that_ended_is_said(home: Path, tab: Any) -> None:
    """The last figures stay."""
    with serving.serving("/repo/app") as here:
        tab.goto(here.link)
        tab.wait_for_selector(READ)
    tab.get_by_text("The dashboard does not answer.").wait_for()
    assert tab.locator("#main").is_visible()


def test_controls_change_what_is_asked_for(home: Path, dashboard: Start, page: Open) -> None:
    """Range and key; older decisions; the filter."""
    some_work(home)
    here = dashboard()
    shown = page(here.link)
    shown.wait_for_selector(READ)
    shown.get_by_label("24 hours").check(force=True)
    shown.get_by_label("Project").check(force=True)
    shown.locator("#spending-rows").get_by_text("/repo/app").wait_for()
    assert shown.locator("#spending-chart").get_attribute("aria-valuemax") == "23"
    shown.locator("#decisions-more").click()
    shown.locator("#decisions-rows tbody tr").nth(14).wait_for()
    assert not shown.locator("#decisions-more").is_visible()
    shown.locator("#decisions-action").select_option("assigned")
    shown.get_by_text("The last 1, newest first").wait_for()


def test_an_answer_that_another_has_overtaken_is_not_shown(
    home: Path, dashboard: Start, page: Open
) -> None:
    """Of two choices made at once the later one stands, whichever is answered first."""
    some_work(home)
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    held: list[Any] = []
    shown.route("**/api/usage?*", lambda one: one.continue_() if held else held.append(one))
    shown.get_by_label("24 hours").check(force=True)
    shown.get_by_label("Project").check(force=True)
    shown.locator("#spending-rows").get_by_text("/repo/app").wait_for()
    with shown.expect_event("requestfinished", lambda one: one == held[0].request):
        held[0].continue_()
    shown.evaluate("() => new Promise((resolve) => setTimeout(resolve, 50))")
    shown.unroute("**/api/usage?*")
    assert "/repo/app" in text(shown, "#spending-rows")


def test_the_keyboard_reaches_everything(home: Path, dashboard: Start, page: Open) -> None:
    """In the order of the page, the link to the figures first; every stop can be seen."""
    some_work(home)
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    stops = []
    for _ in range(60):
        shown.keyboard.press("Tab")
        stop = shown.evaluate(
            "() => { const one = document.activeElement, style = getComputedStyle(one);"
            " const box = one.closest('fieldset label') ?? one;"
            " return [one.id || one.name || one.textContent.trim(),"
            " getComputedStyle(box).outlineStyle !== 'none']; }"
        )
        if stop[0] in [name for name, _ in stops] or one_is_body(shown):
            break
        stops.append(tuple(stop))
    names = [name for name, _ in stops]
    wanted = ["Skip to the figures", "theme", "Today", "Health", "range", "by", "spending-chart",
              "The chart as a table", "By day and by agent", "decisions-agent", "decisions-action",
              "decisions-more"]  # fmt: skip
    assert [name for name in names if name in wanted] == wanted
    assert [name for name, seen in stops if not seen] == []
    shown.get_by_text(wanted[0]).press("Enter")
    assert shown.evaluate("document.activeElement.id") == "main"


def one_is_body(page: Any) -> bool:
    return bool(page.evaluate("document.activeElement === document.body"))


def test_the_chart_is_read_with_the_arrow_keys(home: Path, dashboard: Start, page: Open) -> None:
    """What a column holds is its value as a slider."""
    some_work(home)
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    chart = shown.locator("#spending-chart")
    assert chart.get_attribute("role") == "slider"
    assert chart.get_attribute("aria-valuetext").startswith("Sat 21 Nov: $")
    chart.focus()
    shown.keyboard.press("ArrowLeft")
    assert chart.get_attribute("aria-valuetext") == "Fri 20 Nov: nothing"
    shown.keyboard.press("Home")
    assert chart.get_attribute("aria-valuenow") == "0"
    assert text(shown, "#spending-readout") == "Fri 23 Oct: nothing"


def style(page: Any, selector: str, what: str) -> str:
    return str(page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{what}"))


def test_dark_by_the_system_or_by_choice(home: Path, dashboard: Start, page: Open) -> None:
    """The choice is kept in the browser."""
    here = dashboard()
    shown = page(here.link)
    shown.wait_for_selector(READ)
    light = style(shown, "body", "backgroundColor")
    shown.locator("#theme").click()
    assert style(shown, "body", "backgroundColor") == light
    shown.locator("#theme").click()
    dark = style(shown, "body", "backgroundColor")
    assert dark != light
    shown.reload()
    shown.wait_for_selector(READ)
    assert shown.locator("#theme").inner_text() == "Theme: dark"
    assert style(shown, "body", "backgroundColor") == dark
    other = page(here.link, scheme="dark")
    other.wait_for_selector(READ)
    assert style(other, "body", "backgroundColor") == dark


@pytest.mark.parametrize("kind", HOSTILE)
def test_names_are_text(home: Path, dashboard: Start, page: Open, kind: str) -> None:
    """As models, agents, projects, descriptions, budgets, folders: markup, newlines, direction."""
    name = HOSTILE[kind]
    policy(
        home,
        budgets=[budget(name)],
        assign={name: {"tier": "haiku", "effort": None}},
        exempt=[name],
    )
    cool(name, name)
    row = {"session": name, "agent": name, "description": name, "would": name, "reason": name}
    decide("t1", at=NOON, **row)
    file = home / ".claude/projects/-repo/s.jsonl"
    file.parent.mkdir(parents=True)
    message = {"id": "msg_1", "model": name, "stop_reason": "end_turn",
               "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip
    line = {"type": "assistant", "message": message, "sessionId": "s", "cwd": f"/repo/{name}",
            "timestamp": "2026-11-21T11:00:00.000Z"}  # fmt: skip
    file.write_text(json.dumps(line) + "\n")
    shown = page(dashboard().link)
    shown.wait_for_selector(READ)
    shown.get_by_label("Project").check(force=True)
    shown.locator("#spending-rows").get_by_text(f"/repo/{SHOWN[kind]}").wait_for()
    body = shown.locator("main").inner_text()
    assert body.count(SHOWN[kind]) >= 8
    assert shown.evaluate("window.hurt") is None
    assert shown.locator("main img, main script").count() == 0
    for steering in "\u202e\u2066\u200f":
        assert steering not in body
    # Found and asked in one step: the page may draw itself anew in between.
    assert style(shown, "bdi", "unicodeBidi") == "isolate"
