"""Which hooks a run of the client started, as `doctor --live` judges it."""

from __future__ import annotations

from pathlib import Path

from claude_tier.install.doctor import live


def judged(folder: Path, *missing: str) -> tuple[str, str]:
    for event in live.FIRED:
        if event not in missing:
            (folder / event).touch()
    finding = live._fired(folder)
    return finding.verdict, finding.what


def test_hooks_in_the_background_that_were_cut_off_are_no_fault(tmp_path: Path) -> None:
    """`claude -p` ends without waiting for them."""
    verdict, what = judged(tmp_path, "Stop", "SubagentStop")

    assert verdict == "ok"
    assert what.startswith("ran: SessionStart, ")
    assert what.endswith("before its background hooks began: SubagentStop, Stop")


def test_a_hook_that_must_run_and_did_not_is_a_fault(tmp_path: Path) -> None:
    """Whatever else ran."""
    assert judged(tmp_path, "PreToolUse", "Stop") == (
        "fault", "this version did not run PreToolUse",
    )  # fmt: skip


def test_all_of_them_are_named(tmp_path: Path) -> None:
    """Nothing to add then."""
    assert judged(tmp_path) == ("ok", f"ran: {', '.join(live.FIRED)}")
