"""The generator itself: what it says is true must be what a plain reader finds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from corpus import SCENES, Corpus, Growth, build, price_oracle, write
from corpus.__main__ import main
from corpus.answer import Tokens
from corpus.scenes import damage

KINDS = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "web_searches",
)
DAMAGED = {scene.__name__ for scene in damage.SCENES}
# Told apart by more than the message id, or with more in a row than its message.
SUBTLE = {"local_ids", "local_ids_with_the_same_prompt", "no_message_id", "advisor"}
PLAIN = sorted(SCENES.keys() - DAMAGED - SUBTLE)


def rows_of(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Every row of every transcript, where all of them are JSON."""
    for file in corpus.files:
        if file.path.endswith(".jsonl") and "tool-results" not in file.path:
            yield from map(json.loads, file.content.decode().split("\n")[:-1])


def answers_in(corpus: Corpus) -> dict[str, dict[str, Any]]:
    """The winning row of each message id, with the time of its earliest one."""
    best: dict[str, dict[str, Any]] = {}
    for row in rows_of(corpus):
        if row.get("type") != "assistant" or row["message"]["model"] == "<synthetic>":
            continue
        found = {"counts": counts(row["message"]["usage"]), "model": row["message"]["model"]}
        found["at"] = row.get("timestamp") or "9999"
        found["rank"] = rank(row["message"], found["counts"])
        known = best.setdefault(row["message"]["id"], found)
        first = min(known["at"], found["at"])
        best[row["message"]["id"]] = found if found["rank"] >= known["rank"] else known
        best[row["message"]["id"]]["at"] = first
    return best


def counts(usage: dict[str, Any]) -> Counter[str]:
    written = usage["cache_creation_input_tokens"]
    hour = usage.get("cache_creation", {}).get("ephemeral_1h_input_tokens", 0)
    searches = usage.get("server_tool_use", {}).get("web_search_requests", 0)
    read = usage["cache_read_input_tokens"]
    figures = (1, usage["input_tokens"], usage["output_tokens"], read, written - hour, hour)
    return Counter(dict(zip(KINDS, (*figures, searches), strict=True)))


def rank(message: dict[str, Any], found: Counter[str]) -> tuple[int, bool, int]:
    return found["output_tokens"], message["stop_reason"] is not None, found.total()


def summed(corpus: Corpus, key: str) -> dict[str, Counter[str]]:
    sums: dict[str, Counter[str]] = {}
    for answer in answers_in(corpus).values():
        sums.setdefault(answer[key][:10] if key == "at" else answer[key], Counter()).update(
            answer["counts"]
        )
    return sums


def told(totals: dict[str, Any]) -> dict[str, Counter[str]]:
    return {name: Counter({kind: one[kind] for kind in KINDS}) for name, one in totals.items()}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return build(7, size=500_000)


@pytest.mark.parametrize("scene", PLAIN)
def test_a_plain_reader_finds_the_truth(scene: str) -> None:
    """One winning row per message id is the truth, wherever ids are global."""
    corpus = build(3, scenes=[scene])

    assert summed(corpus, "model") == told(corpus.truth.by(lambda charge: charge.model))
    assert summed(corpus, "at") == told(corpus.truth.by(lambda charge: charge.day))


def test_ordinary_work_holds_no_surprise() -> None:
    """What fills a corpus up is read like everything else."""
    corpus = build(3, size=600_000, scenes=[])

    assert summed(corpus, "model") == told(corpus.truth.by(lambda charge: charge.model))
    assert 600_000 <= sum(len(file.content) for file in corpus.files) < 1_200_000


@pytest.mark.parametrize("scene", ["compaction", "side_queries", "interrupted_and_estimated"])
def test_unlisted_is_what_the_saved_cost_has_beyond_the_rows(scene: str) -> None:
    """Without forks it is one difference per model."""
    corpus = build(3, scenes=[scene])
    saved = [row for row in rows_of(corpus) if row["type"] == "cost-state"][-1]["modelUsage"]
    listed = told(corpus.truth.by(lambda charge: charge.model))

    assert corpus.truth.unlisted()
    for hidden in corpus.truth.unlisted():
        model = str(hidden["model"])
        beyond = saved[model]["outputTokens"] - listed.get(model, Counter())["output_tokens"]
        assert beyond == hidden["output_tokens"]


def test_a_seed_always_gives_the_same_corpus(corpus: Corpus) -> None:
    """Files and manifest are equal to the byte, and another seed gives others."""
    again = build(7, size=500_000)

    assert again.files == corpus.files
    assert again.manifest() == corpus.manifest()
    assert build(8).files != build(7).files


def test_a_scene_does_not_depend_on_the_others(corpus: Corpus) -> None:
    """Played alone it gives the same sessions."""
    assert build(7, scenes=["fork"]).scenes["fork"] == corpus.scenes["fork"]


def test_ids_are_used_once(corpus: Corpus) -> None:
    """No two sessions share an id, and every charge belongs to one of them."""
    sessions = [session for group in corpus.scenes.values() for session in group]

    assert len(set(sessions)) == len(sessions)
    assert {charge.session for charge in corpus.truth.charges} <= set(sessions)
    assert len({file.path for file in corpus.files}) == len(corpus.files)


def test_the_manifest_agrees_with_itself(corpus: Corpus) -> None:
    """Every way of grouping adds up to the totals."""
    manifest: dict[str, Any] = corpus.manifest()
    total = told({"all": manifest["totals"]})["all"]

    for key in ("by_model", "by_day", "by_session", "by_agent", "by_project"):
        assert sum(told(manifest[key]).values(), Counter()) == total
    assert manifest["totals"]["unpriced_requests"] > 0
    assert json.loads(json.dumps(manifest)) == manifest


@pytest.mark.parametrize("scene", sorted(DAMAGED - {"other_spellings", "odd_folders"}))
def test_damaged_scenes_answer_too(scene: str) -> None:
    """Damage stands beside usage that has to be found."""
    assert build(3, scenes=[scene]).truth.charges


def test_rows_have_the_keys_of_the_client() -> None:
    """A row of today has the keys of 2.1.329, in its order: `type` does not come first."""
    corpus = build(0, scenes=["subagents"])
    row = next(row for row in rows_of(corpus) if row["type"] == "assistant" and row["isSidechain"])

    assert " ".join(row) == (
        "parentUuid isSidechain agentId message apiBlockIndex requestId requestRef requestedModel "
        "promptCacheRequested attributionAgent type uuid timestamp effort perTurnEffort madeBy "
        "userType entrypoint cwd sessionId version gitBranch"
    )
    assert " ".join(row["message"]["usage"]) == (
        "input_tokens cache_creation_input_tokens cache_read_input_tokens output_tokens "
        "output_tokens_details server_tool_use service_tier cache_creation inference_geo "
        "iterations speed fallback_credit"
    )


def test_a_fork_copies_all_but_the_session() -> None:
    """The copies of a fork have no request row there, and the figures begin at the parent's."""
    corpus = build(0, scenes=["fork"])
    parent, child = corpus.scenes["fork"][:2]
    rows = list(rows_of(corpus))
    refs = {row["id"]: row["sessionId"] for row in rows if row["type"] == "api-request"}
    copied = [row for row in rows if row.get("requestSessionId") == parent]
    costs = {row["sessionId"]: row["totalCostUSD"] for row in rows if row["type"] == "cost-state"}

    assert {row["sessionId"] for row in copied} == {child}
    assert {refs[row["requestRef"]] for row in copied} == {parent}
    assert costs[child] > costs[parent]


@pytest.mark.parametrize(
    ("model", "tokens", "usd"),
    [
        ("claude-opus-5-5", Tokens(1_000_000), "4"),
        ("claude-opus-5-5", Tokens(0, 1000, 1000, 1000, 1000), "0.0332"),
        ("claude-haiku-5-5", Tokens(50_000, 0, 50_000), "0.0055"),
        ("claude-haiku-5-5", Tokens(50_001, 0, 50_000), "0.0275005"),
        ("claude-haiku-4-5-20251001", Tokens(0, 1_000_000), "5"),
        ("claude-sonnet-5-5", Tokens(0, 0, 1_000_000, web_searches=2), "0.22"),
        ("claude-fable-5-1", Tokens(0, 0, 1_000_000), "0.25"),
    ],
)
def test_prices_are_those_of_the_list(model: str, tokens: Tokens, usd: str) -> None:
    """Dollars reckoned by hand, in October 2026."""
    at = datetime(2026, 10, 6, 23, 59, tzinfo=timezone.utc)
    assert price_oracle.usd(model, tokens, at=at) == Decimal(usd)


def test_an_advisor_is_billed_beside_the_request() -> None:
    """Its tokens count at its own model, as no request."""
    corpus = build(0, scenes=["advisor"])
    advised = [row["message"]["usage"]["iterations"] for row in rows_of(corpus) if "effort" in row]
    named = {part["model"] for parts in advised for part in parts} - {None}
    by_model = corpus.truth.by(lambda charge: charge.model)

    assert named == {"claude-fable-5-1"}
    assert by_model["claude-fable-5-1"]["requests"] == 0
    assert by_model["claude-fable-5-1"]["input_tokens"] == 140_000
    assert {model for model in by_model if by_model[model]["requests"]} == set(by_model) - named


def test_fast_and_us_multiply() -> None:
    """Fast mode doubles and the US adds a tenth, on tokens alone."""
    at = datetime(2026, 11, 1, tzinfo=timezone.utc)
    tokens = Tokens(1_000_000, web_searches=1)
    usd = price_oracle.usd("claude-opus-5", tokens, at=at, speed="fast", geo="us")
    assert usd == Decimal("11.01")


def test_unknown_models_have_no_price() -> None:
    """Not even one that begins like a known model."""
    at = datetime(2026, 11, 1, tzinfo=timezone.utc)
    assert price_oracle.usd("claude-haiku-5-5-20261101-x", Tokens(5), at=at) is None


def test_growth_shows_every_byte_before_it_takes_any(corpus: Corpus, tmp_path: Path) -> None:
    """Each line of a transcript stands in its file, whole, after some step."""
    growth = Growth(corpus, steps=25, seed=1)
    seen: dict[str, set[bytes]] = {file.path: set() for file in corpus.files}
    kinds: Counter[str] = Counter()
    torn = 0
    for step in range(growth.steps):
        for change in growth.grow(tmp_path, step):
            kinds[change.kind] += 1
            if change.kind != "delete":
                content = (tmp_path / change.path).read_bytes()
                seen[change.path].update(content.splitlines(keepends=True))
                torn += not content.endswith(b"\n")

    assert all(
        set(file.content.splitlines(keepends=True)) <= seen[file.path] for file in corpus.files
    )
    assert set(kinds) == {"append", "replace", "truncate", "delete"}
    assert torn > 20


def test_growth_takes_rows_but_no_saved_cost(corpus: Corpus, tmp_path: Path) -> None:
    """A rewritten file is shorter, and has as many `cost-state` rows as before."""
    growth = Growth(corpus, steps=25, seed=1)
    shorter = 0
    for step in range(growth.steps):
        before = {change.path: _read(tmp_path / change.path) for change in growth.plan[step]}
        for change in growth.grow(tmp_path, step):
            if change.kind in ("replace", "truncate"):
                after = _read(tmp_path / change.path)
                assert after.count(b"cost-state") >= before[change.path].count(b"cost-state")
                shorter += len(after) < len(before[change.path])
    assert shorter > 10


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def test_growth_without_rewrites_ends_at_the_corpus(corpus: Corpus, tmp_path: Path) -> None:
    """Step by step or at once, the same bytes are on disk."""
    growth = Growth(corpus, rewrites=0)
    for step in range(growth.steps):
        growth.grow(tmp_path / "grown", step)
    write(corpus, tmp_path / "whole")

    for file in corpus.files:
        grown = (tmp_path / "grown" / file.path).read_bytes()
        assert grown == (tmp_path / "whole" / file.path).read_bytes() == file.content


def test_the_command_writes_a_corpus_and_its_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It never writes into a folder that is there."""
    out = tmp_path / "corpus"

    assert main([str(out), "--seed", "5", "--size", "300KB", "--scene", "fork"]) == 0
    assert json.loads((tmp_path / "corpus.manifest.json").read_text())["seed"] == 5
    assert sum(path.stat().st_size for path in out.rglob("*.jsonl")) >= 300_000
    assert main([str(out)]) == 1
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["5XB", "MB", "1.5MB", "5BB"])
def test_the_command_refuses_what_is_no_size(size: str, tmp_path: Path) -> None:
    """A size is a whole number and a unit."""
    with pytest.raises(SystemExit):
        main([str(tmp_path / "out"), "--size", size])
