"""What config.yaml may say. Every key is optional; docs/config.md is the reference.

The ladder the file sets (`tiers`) and the models with a price reach the validators as context, so
that every mistake is found in one pass and at its own place.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from claude_tier.config.fields import (
    LADDER,
    NEVER,
    Effort,
    Line,
    OnStop,
    Rung,
    Seconds,
    Section,
    Threshold,
    Tier,
    Usd,
    dearest_first,
    detail,
    no_repeats,
    raise_all,
    told_apart,
)
from claude_tier.config.groups import Groups, faults_of_groups
from claude_tier.config.heartbeat import Heartbeat, faults_of_heartbeat
from claude_tier.config.local_models import LocalModels, faults_of_local_models
from claude_tier.config.pricing import Prices, complete
from claude_tier.config.providers import CLAUDE, Provider, Providers
from claude_tier.config.routing import (
    Chains,
    Router,
    Routes,
    fault_in,
    faults_of_chains,
    faults_of_router,
)

WINDOWS = ("five_hour", "seven_day")  # of a subscription plan
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Assignment(Section):
    """The tier, and where set the effort, of a subagent type when nobody asked for a model."""

    tier: Tier
    effort: Effort | None = None


def _assignment(value: object) -> object:
    if value == "inherit":
        return None
    return {"tier": value} if isinstance(value, str) else value


Assignments = dict[Line, Annotated[Assignment | None, BeforeValidator(_assignment)]]


class Scope(Section):
    """Whose spending a budget counts."""

    kind: Literal["user", "project", "session", "agent"]
    name: Line | None = None


def _scope(value: object) -> object:
    if value in ("user", "project", "session"):
        return {"kind": value}
    if isinstance(value, dict) and list(value) == ["agent"]:
        return {"kind": "agent", "name": value["agent"] or ""}
    raise ValueError("must be user, project, session or {agent: NAME}")


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Limit(Section):
    """One figure in one unit."""

    usd: Usd | None = None
    tokens: Annotated[int, Field(gt=0), BeforeValidator(_whole)] | None = None
    plan_percent: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Limit:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("must have exactly one of usd, tokens and plan_percent")
        return self

    @property
    def unit(self) -> str:
        return next(iter(self.model_dump(exclude_none=True)))

    @property
    def figure(self) -> float:
        return float(getattr(self, self.unit))


class Budget(Section):
    """A limit for one scope over one period; `limit: null` removes a preset's budget."""

    name: Line
    scope: Annotated[Scope, BeforeValidator(_scope)] = Scope(kind="user")
    limit: Limit | None
    period: Annotated[
        Literal["session", "day", "week", "month", "five_hour", "seven_day"] | None,
        Field(validate_default=True),
    ] = None
    warn: Threshold = 0.8
    recover: Annotated[Threshold, Field(validate_default=True)] = 0.85
    cap: Annotated[Threshold, Field(validate_default=True)] = 0.9
    stop: Annotated[Threshold, Field(validate_default=True)] = 1.0
    ceiling: Tier | None = None
    on_stop: OnStop | None = None

    @field_validator("limit")
    @classmethod
    def _plan_is_the_users(cls, limit: Limit | None, info: ValidationInfo) -> Limit | None:
        scope = info.data.get("scope")
        if limit and limit.plan_percent and scope and scope.kind != "user":
            raise ValueError("plan_percent is known for the whole user only: use scope: user")
        return limit

    @field_validator("period")
    @classmethod
    def _period_fits(cls, period: str | None, info: ValidationInfo) -> str | None:
        limit = info.data.get("limit")
        if limit and period is None:
            raise ValueError("is required: session, day, week, month, five_hour or seven_day")
        if limit and limit.plan_percent and period not in WINDOWS:
            raise ValueError("must be five_hour or seven_day for a limit in plan_percent")
        return period

    @field_validator("recover", "cap", "stop")
    @classmethod
    def _in_order(cls, value: float, info: ValidationInfo) -> float:
        below = {"recover": "warn", "cap": "recover", "stop": "cap"}[info.field_name or ""]
        floor = info.data.get(below)
        if floor is not None and (value < floor or (below == "recover" and value == floor)):
            relation = "above" if below == "recover" else "at least"
            figure = "never" if floor == NEVER else f"{floor:g}"
            raise ValueError(
                f"must be {relation} {below} ({figure}), for warn ≤ recover < cap ≤ stop"
            )
        return value


Budgets = Annotated[list[Budget], told_apart("budget")]


class FanOut(Section):
    """How many new subagents may start in a while; keys left out stay as the preset has them."""

    max_new_agents: Annotated[int, Field(gt=0, le=10_000)] | None = None
    per: Seconds | None = None
    action: Literal["warn", "lower", "deny"] | None = None


class Log(Section):
    """What the decision log keeps."""

    descriptions: bool = True


def _off(value: object) -> object:
    return None if value == "off" else value


# Sections of the full design that this version does not read yet.
LATER = ("gateway",)


class Config(Section):
    """The whole of config.yaml."""

    preset: Literal["balanced", "budget", "premium"] = "balanced"
    tiers: Annotated[
        list[Rung],
        Field(min_length=1),
        AfterValidator(no_repeats),
        AfterValidator(dearest_first),
    ] = Field(default_factory=lambda: list(LADDER))
    assign: Assignments = Field(default_factory=dict)
    budgets: Budgets = Field(default_factory=list)
    floor: dict[Line, Tier] = Field(default_factory=dict)
    exempt: Annotated[list[Line], AfterValidator(no_repeats)] = Field(default_factory=list)
    fan_out: Annotated[FanOut | None, BeforeValidator(_off)] = FanOut()
    model_switch: Literal["ask", "deny", "off"] | None = None
    week_start: Literal[
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
    ] = "monday"
    log: Log = Log()
    prices: Prices = Field(default_factory=dict)
    baseline: Line = "main"
    providers: Providers = Field(default_factory=dict)
    chains: Chains = Field(default_factory=dict)
    router: Router = Router()
    routes: Routes = Field(default_factory=list)
    local_models: LocalModels = LocalModels()
    groups: Groups = Field(default_factory=dict)
    heartbeat: Heartbeat = Heartbeat()

    @property
    def all_providers(self) -> dict[str, Provider]:
        """Every provider there is: those of the file, and the user's own `claude`."""
        return {CLAUDE: Provider(kind="claude-cli"), **self.providers}

    @classmethod
    def refusal(cls, key: str) -> str | None:
        return "is not supported by this version of claude-tier" if key in LATER else None

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, values: dict[str, object]) -> dict[str, object]:
        """A section whose lines are all commented out is not a mistake."""
        return {key: value for key, value in values.items() if value is not None}

    @field_validator("budgets")
    @classmethod
    def _removes_what_is_there(cls, budgets: list[Budget], info: ValidationInfo) -> list[Budget]:
        preset = (info.context or {}).get("presets", {}).get(info.data.get("preset"), {})
        names = [budget["name"] for budget in preset.get("budgets", [])]
        faults = [
            detail((index, "limit"), f"the preset has no budget {budget.name} to remove")
            for index, budget in enumerate(budgets)
            if budget.limit is None and budget.name not in names
        ]
        raise_all(faults)
        return budgets

    @field_validator("prices")
    @classmethod
    def _prices_stand(cls, prices: Prices, info: ValidationInfo) -> Prices:
        return complete(prices, (info.context or {}).get("shipped", {}))

    @field_validator("baseline")
    @classmethod
    def _is_priced(cls, baseline: str, info: ValidationInfo) -> str:
        context = info.context or {}
        if baseline == "main" or baseline in context.get("tiers", LADDER):
            return baseline
        if baseline in context.get("shipped", {}) or baseline in info.data.get("prices", {}):
            return baseline
        raise ValueError("must be main, one of your tiers, or a model in the price table")

    @field_validator("chains")
    @classmethod
    def _chains_lead_somewhere(cls, chains: Chains, info: ValidationInfo) -> Chains:
        if _stand(info, "providers"):
            raise_all(list(faults_of_chains(chains, info.data["providers"])))
        return chains

    @field_validator("router")
    @classmethod
    def _roles_lead_somewhere(cls, router: Router, info: ValidationInfo) -> Router:
        if _stand(info, "providers", "chains"):
            given = info.data["providers"], info.data["chains"]
            raise_all(list(faults_of_router(router, *given)))
        return router

    @field_validator("routes")
    @classmethod
    def _routes_lead_somewhere(cls, routes: Routes, info: ValidationInfo) -> Routes:
        if not _stand(info, "providers", "chains"):
            return routes
        given = info.data["providers"], info.data["chains"]
        faults = [
            detail((index, "target"), fault)
            for index, route in enumerate(routes)
            if (fault := fault_in(route.target, *given))
        ]
        raise_all(faults)
        return routes

    @field_validator("local_models")
    @classmethod
    def _tools_lead_somewhere(cls, given: LocalModels, info: ValidationInfo) -> LocalModels:
        if _stand(info, "providers", "chains"):
            known = info.data["providers"], info.data["chains"]
            raise_all(list(faults_of_local_models(given, *known)))
        return given

    @field_validator("groups")
    @classmethod
    def _groups_lead_somewhere(cls, groups: Groups, info: ValidationInfo) -> Groups:
        if _stand(info, "providers"):
            raise_all(list(faults_of_groups(groups, info.data["providers"])))
        return groups

    @field_validator("heartbeat")
    @classmethod
    def _beats_lead_somewhere(cls, given: Heartbeat, info: ValidationInfo) -> Heartbeat:
        if not _stand(info, "tiers", "providers", "chains"):
            return given
        tiers = [str(tier) for tier in info.data["tiers"]]
        providers, chains = info.data["providers"], info.data["chains"]
        faults = faults_of_heartbeat(given, tiers=tiers, providers=providers, chains=chains)
        raise_all(list(faults))
        return given


def _stand(info: ValidationInfo, *sections: str) -> bool:
    """Whether these have no mistake of their own; what refers to one that has is not judged."""
    return all(section in info.data for section in sections)
