"""The laws of `decide()`: it never raises a tier, and each setting means what it says."""

from __future__ import annotations

from typing import Any

import pytest
from claude_tier_hooks import decision, policy
from claude_tier_hooks.decision import ASKED, ASSIGNED, DENIED, KEPT, LEFT, LOWERED
from hypothesis import given
from hypothesis import strategies as st

TIERS = ["fable", "opus", "sonnet", "haiku"]
Json = dict[str, Any]

tiers = st.sampled_from(TIERS)
models = st.sampled_from(
    ["claude-fable-5-2", "claude-opus-5-5[1m]", "claude-sonnet-4-6", "haiku", "claude-mythos-5-2"]
)
agents = st.sampled_from(["Explore", "reviewer", "model-tier:reviewer", "fork"])


def budget(**given_: object) -> Json:
    made: Json = {
        "name": "daily", "scope": {"kind": "user", "name": None}, "ceiling": "sonnet",
        "on_stop": "deny",
    }  # fmt: skip
    return {**made, **given_}


def standing(gate: str = "ok", used: float | None = 0.5, **given_: object) -> Json:
    return {"budget": budget(**given_), "gate": gate, "level": gate, "used": used}


def rules(**given_: object) -> Json:
    made: Json = {"tiers": TIERS, "assign": {}, "floor": {}, "exempt": [], "fan_out": None}
    return {**made, **given_}


def spawn(agent: str = "reviewer", model: str | None = "claude-opus-5-5", **given_: object) -> Json:
    made: Json = {
        "tool": "Agent", "agent": agent, "would": {"model": model, "origin": "parent"},
        "inside": False, "attended": True, "forced": False, "recent": 0, "unavailable": [],
    }  # fmt: skip
    return {**made, **given_}


standings = st.lists(
    st.builds(
        standing,
        gate=st.sampled_from(["ok", "warn", "cap", "stop"]),
        used=st.floats(0, 2) | st.none(),
        ceiling=tiers,
        on_stop=st.sampled_from(["deny", "lowest", "ask"]),
        scope=st.sampled_from(
            [{"kind": "user", "name": None}, {"kind": "agent", "name": "reviewer"}]
        ),
    ),
    max_size=3,
)
policies = st.builds(
    rules,
    assign=st.dictionaries(agents, st.builds(lambda t: {"tier": t, "effort": None}, tiers)),
    floor=st.dictionaries(agents, tiers),
    exempt=st.lists(agents, max_size=1),
    fan_out=st.none()
    | st.builds(
        lambda action: {"max_new_agents": 5, "seconds": 60, "action": action},
        st.sampled_from(["warn", "lower", "deny"]),
    ),
)
ladders = st.lists(tiers, min_size=1, unique=True).map(lambda some: sorted(some, key=TIERS.index))
spawns = st.builds(
    spawn,
    agent=agents,
    would=st.builds(
        lambda model, origin, at_most: {"model": model, "origin": origin, "at_most": at_most},
        models | st.none(),
        st.sampled_from(["parameter", "agent file", "built-in", "environment", "parent"]),
        st.sampled_from([None, "opus"]),
    ),
    recent=st.integers(0, 9),
    inside=st.booleans(),
    attended=st.booleans(),
    forced=st.booleans(),
    unavailable=st.lists(tiers, max_size=2),
)


@given(policies, standings, spawns)
def test_nothing_is_ever_raised(policy_: Json, found: list[Json], asked: Json) -> None:
    """What is set is cheaper than what would run; unknown families count as dearest."""
    made = decision.decide(policy_, found, asked)
    if made["action"] not in (ASSIGNED, LOWERED) and not (made["action"] == ASKED and made["set"]):
        return
    would = policy.tier_of(asked["would"]["model"], TIERS)
    assert policy.cheaper(made["set"], would, TIERS)


def shortened(ladder: list[str], policy_: Json, found: list[Json]) -> tuple[Json, list[Json]]:
    """The same settings for a user who left rungs out: nothing names a missing one."""

    def on(tier: str) -> str:
        return next((one for one in TIERS[TIERS.index(tier) :] if one in ladder), ladder[-1])

    assign = {agent: {**one, "tier": on(one["tier"])} for agent, one in policy_["assign"].items()}
    floor = {agent: on(tier) for agent, tier in policy_["floor"].items()}
    capped = [
        {**one, "budget": {**one["budget"], "ceiling": on(one["budget"]["ceiling"])}}
        for one in found
    ]
    return {**policy_, "tiers": ladder, "assign": assign, "floor": floor}, capped


@given(ladders, policies, standings, spawns)
def test_a_family_left_out_of_the_ladder_is_never_raised(
    ladder: list[str], policy_: Json, found: list[Json], asked: Json
) -> None:
    """Whatever rungs the user left out, what is set is cheaper on the whole ladder."""
    made = decision.decide(*shortened(ladder, policy_, found), asked)
    if made["action"] in (ASSIGNED, LOWERED) or (made["action"] == ASKED and made["set"]):
        would = policy.family(asked["would"]["model"])
        assert made["set"] in ladder
        assert policy.cheaper(made["set"], would, TIERS)


@pytest.mark.parametrize(
    ("ladder", "model", "rung"),
    [
        (["fable", "opus", "sonnet"], "claude-haiku-5-5", "sonnet"),
        (["opus", "haiku"], "claude-sonnet-5-5", "opus"),
        (["opus", "sonnet"], "claude-fable-5-2", None),
        (["opus", "sonnet"], "qwen3", None),
        (TIERS, "claude-sonnet-5-5", "sonnet"),
    ],
)
def test_a_family_left_out_counts_as_the_next_dearer_rung(
    ladder: list[str], model: str, rung: str | None
) -> None:
    """Above the ladder there is none: it counts as dearest, like an unknown family."""
    assert policy.tier_of(model, ladder) == rung


@given(policies, standings, spawns)
def test_what_runs_is_the_lower_of_asked_and_the_higher_of_ceiling_and_floor(
    policy_: Json, found: list[Json], asked: Json
) -> None:
    """Above a ceiling nothing runs but by floor, exemption, or where nothing can be set."""
    made = decision.decide(policy_, found, asked)
    if made["action"] in (DENIED, ASKED, LEFT) or policy.is_exempt(policy_, asked["agent"]):
        return
    concerned = [
        one for one in found if one["budget"]["scope"]["name"] in (None, plain(asked["agent"]))
    ]
    ceilings = [one["budget"]["ceiling"] for one in concerned if one["gate"] == "cap"]
    ceilings += ["haiku" for one in concerned if one["gate"] == "stop"]
    runs = made["set"] or decided_tier(asked)
    floor = policy.of_agent(policy_["floor"], asked["agent"])
    for ceiling in ceilings:
        allowed = policy.higher(ceiling, str(floor), TIERS) if floor else ceiling
        assert not policy.cheaper(allowed, runs, TIERS)


def plain(agent: str) -> str:
    return policy.plain_agent(agent)


def decided_tier(asked: Json) -> str | None:
    tier = policy.tier_of(asked["would"]["model"], TIERS)
    at_most = asked["would"].get("at_most")
    return at_most if at_most and policy.cheaper(at_most, tier, TIERS) else tier


@given(policies, standings, spawns)
def test_exempt_agents_and_forks_are_never_touched(
    policy_: Json, found: list[Json], asked: Json
) -> None:
    """Neither pushed nor denied."""
    made = decision.decide(policy_, found, asked)
    if policy.is_exempt(policy_, asked["agent"]) or asked["agent"] == "fork":
        assert made["action"] in (KEPT, LEFT)
        assert made["set"] is None


@given(policies, standings, spawns)
def test_deciding_again_on_what_was_set_changes_nothing(
    policy_: Json, found: list[Json], asked: Json
) -> None:
    """A second install that saw the rewritten input would keep it."""
    made = decision.decide(policy_, found, asked)
    if made["action"] in (ASSIGNED, LOWERED):
        again = dict(asked, would={"model": made["set"], "origin": "parameter"})
        assert decision.decide(policy_, found, again)["action"] == KEPT


def test_an_assignment_applies_only_where_nobody_asked() -> None:
    """Not over a parameter, an agent file, a built-in's own model or the environment."""
    assigned = rules(assign={"reviewer": {"tier": "haiku", "effort": "low"}})
    for origin in ("parameter", "agent file", "built-in", "environment"):
        asked = spawn(would={"model": "claude-opus-5-5", "origin": origin})
        assert decision.decide(assigned, [], asked)["action"] == KEPT
    made = decision.decide(assigned, [], spawn())
    assert (made["action"], made["set"], made["effort"]) == (ASSIGNED, "haiku", "low")


@pytest.mark.parametrize(
    ("session", "assigned", "effort"),
    [
        ("medium", "low", "low"),
        ("max", "xhigh", "xhigh"),
        ("low", "high", "low"),
        ("medium", "medium", "medium"),
        (None, "high", "high"),
        ("beyond", "high", "high"),
        ("low", None, None),
    ],
)
def test_an_assigned_effort_only_lowers(
    session: str | None, assigned: str | None, effort: str | None
) -> None:
    """Where the session's is not known it applies as configured."""
    table = rules(assign={"reviewer": {"tier": "haiku", "effort": assigned}})
    made = decision.decide(table, [], spawn(effort=session))
    assert (made["set"], made["effort"]) == ("haiku", effort)


def test_an_assignment_never_runs_dearer_than_the_parent() -> None:
    """Under a haiku session an agent assigned to sonnet stays on haiku."""
    assigned = rules(assign={"reviewer": {"tier": "sonnet"}})
    asked = spawn(model="claude-haiku-5-5")
    assert decision.decide(assigned, [], asked)["action"] == KEPT


@pytest.mark.parametrize(
    ("on_stop", "given_", "action"),
    [
        ("deny", {}, DENIED),
        ("ask", {}, ASKED),
        ("ask", {"inside": True}, DENIED),
        ("ask", {"attended": False}, DENIED),
        ("lowest", {}, LOWERED),
        ("lowest", {"tool": "Workflow"}, DENIED),
        ("lowest", {"tool": "SendMessage"}, DENIED),
        ("lowest", {"tool": "SendMessage", "would": {"model": "haiku", "origin": "parent"}}, KEPT),
    ],
)
def test_at_stop(on_stop: str, given_: Json, action: str) -> None:
    """Asking acts as denying where nobody can answer; what cannot be lowered is denied."""
    made = decision.decide(rules(), [standing("stop", 1.01, on_stop=on_stop)], spawn(**given_))
    assert made["action"] == action
    assert made["budget"] == (None if action == KEPT else "daily")


def test_the_strictest_of_two_stopped_budgets_decides() -> None:
    found = [
        standing("stop", 1.5, on_stop="lowest", name="a"),
        standing("stop", 1.1, on_stop="deny", name="b"),
    ]
    made = decision.decide(rules(), found, spawn())
    assert (made["action"], made["budget"]) == (DENIED, "b")


def test_a_yes_at_stop_lifts_only_the_budget_that_asked() -> None:
    """The other one goes on capping at the lowest tier."""
    asking = standing("stop", 1.1, on_stop="ask", name="a")
    lowest = standing("stop", 1.2, on_stop="lowest", name="b")
    made = decision.decide(rules(), [asking], spawn())
    assert (made["action"], made["set"]) == (ASKED, "sonnet")
    made = decision.decide(rules(), [asking, lowest], spawn())
    assert (made["action"], made["set"]) == (ASKED, "haiku")


def test_an_agents_own_budget_concerns_no_other() -> None:
    """Its plugin name is the same agent."""
    own = standing("stop", 1.2, scope={"kind": "agent", "name": "reviewer"})
    assert decision.decide(rules(), [own], spawn("Explore"))["action"] == KEPT
    assert decision.decide(rules(), [own], spawn("model-tier:reviewer"))["action"] == DENIED


def test_the_reason_says_when_running_subagents_make_the_difference() -> None:
    """89 % alone would not explain a cap at 90 %."""
    found = dict(standing("cap", 0.89), level="warn")
    made = decision.decide(rules(), [found], spawn())
    assert made["reason"].endswith(" is at 89 %, its running subagents not counted")


def test_an_unknown_model_is_left_and_the_ceiling_noted_for_the_proof() -> None:
    """Setting anything might raise it; the user is told when it ran above the ceiling."""
    asked = spawn(would={"model": None, "origin": "unknown"})
    made = decision.decide(rules(), [standing("cap", 0.95)], asked)
    assert (made["action"], made["set"], made["budget"]) == (LEFT, "sonnet", "daily")
    assert decision.decide(rules(), [], asked)["set"] is None


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({}, (LOWERED, "haiku")),
        ({"unavailable": ["haiku"]}, (LEFT, "haiku")),
        ({"agent": "builder"}, (LEFT, "sonnet")),
    ],
)
def test_an_unknown_model_runs_on_the_lowest_tier_where_that_is_the_ceiling(
    given_: Json, expected: object
) -> None:
    """That cannot raise it; a floor above it stands, and is what the proof is judged by."""
    asked = spawn(would={"model": None, "origin": "unknown"}, **given_)
    for one in (standing("stop", 1.2, on_stop="lowest"), standing("cap", 0.9, ceiling="haiku")):
        made = decision.decide(rules(floor={"builder": "sonnet"}), [one], asked)
        assert (made["action"], made["set"]) == expected


def test_the_lowest_rung_of_a_shortened_ladder_could_raise_an_unknown_model() -> None:
    asked = spawn(would={"model": None, "origin": "unknown"})
    short = rules(tiers=["fable", "opus", "sonnet"])
    made = decision.decide(short, [standing("stop", 1.2, on_stop="lowest")], asked)
    assert (made["action"], made["set"]) == (LEFT, "sonnet")


@pytest.mark.parametrize(
    ("unavailable", "action", "tier"),
    [
        ([], LOWERED, "sonnet"),
        (["sonnet"], LOWERED, "haiku"),
        (["fable", "opus"], LOWERED, "sonnet"),
        (["sonnet", "haiku"], LEFT, "sonnet"),
    ],
)
def test_a_tier_that_would_not_run_gives_way_to_the_next_below(
    unavailable: list[str], action: str, tier: str
) -> None:
    """Its alias could run something dearer; with none below, the ceiling stays for the proof."""
    made = decision.decide(rules(), [standing("cap", 0.95)], spawn(unavailable=unavailable))
    assert (made["action"], made["set"], made["budget"]) == (action, tier, "daily")


def test_a_budget_goes_below_a_floor_only_where_the_floor_would_not_run() -> None:
    floor = rules(floor={"reviewer": "sonnet"})
    capped = [standing("cap", 0.95, ceiling="haiku")]
    assert decision.decide(floor, capped, spawn())["set"] == "sonnet"
    assert decision.decide(floor, capped, spawn(unavailable=["sonnet"]))["set"] == "haiku"


@pytest.mark.parametrize(
    ("unavailable", "floor", "expected"),
    [
        (["sonnet"], {}, (ASSIGNED, "haiku")),
        (["sonnet"], {"reviewer": "sonnet"}, (LEFT, None)),
        (["sonnet", "haiku"], {}, (LEFT, None)),
    ],
)
def test_an_assignment_that_would_not_run_has_nothing_to_hold(
    unavailable: list[str], floor: Json, expected: object
) -> None:
    """The next tier below does, but never under a floor; else there is no tier to prove."""
    assigned = rules(assign={"reviewer": {"tier": "sonnet", "effort": "low"}}, floor=floor)
    made = decision.decide(assigned, [], spawn(unavailable=unavailable))
    assert (made["action"], made["set"]) == expected
    assert made["effort"] == ("low" if made["set"] else None)


def test_a_ceiling_holds_where_an_assignment_would_not_run() -> None:
    assigned = rules(assign={"reviewer": {"tier": "haiku", "effort": None}})
    made = decision.decide(assigned, [standing("cap", 0.95)], spawn(unavailable=["haiku"]))
    assert (made["action"], made["set"], made["budget"]) == (LOWERED, "sonnet", "daily")


@given(policies, standings, spawns)
def test_nothing_runs_on_a_tier_that_would_not_run(
    policy_: Json, found: list[Json], asked: Json
) -> None:
    made = decision.decide(policy_, found, asked)
    if made["action"] in (ASSIGNED, LOWERED, ASKED):
        assert made["set"] not in asked["unavailable"]


@pytest.mark.parametrize(
    ("action", "expected", "tier"),
    [("warn", KEPT, None), ("lower", LOWERED, "haiku"), ("deny", DENIED, None)],
)
def test_the_fan_out_gate(action: str, expected: str, tier: str | None) -> None:
    """From the limit on, not before."""
    gate = {"max_new_agents": 20, "seconds": 600, "action": action}
    before = decision.decide(rules(fan_out=gate), [], spawn(recent=19))
    made = decision.decide(rules(fan_out=gate), [], spawn(recent=20))
    assert (before["action"], before["note"]) == (KEPT, None)
    assert (made["action"], made["set"]) == (expected, tier)
    assert "20 new subagents in the last 10 min" in (made["note"] or made["reason"])


def test_explore_under_fable_is_capped_at_opus_by_the_client_itself() -> None:
    """At a ceiling of opus nothing has to be set."""
    asked = spawn(would={"model": "claude-fable-5-2", "origin": "parent", "at_most": "opus"})
    made = decision.decide(rules(), [standing("cap", 0.9, ceiling="opus")], asked)
    assert made["action"] == KEPT
