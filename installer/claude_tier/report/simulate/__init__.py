"""The ledger's own history, decided again: under the rules it had, or under another policy.

The hooks' `decide()` decides. What a decision was given is recorded beside it, and only what the
other policy itself changes is reckoned: see docs/simulate.md for the method and its limits.
"""

from claude_tier.report.simulate.result import Changed, Day, Simulation, Trip, Verdict
from claude_tier.report.simulate.running import replay
from claude_tier.report.simulate.screen import as_text

__all__ = ["Changed", "Day", "Simulation", "Trip", "Verdict", "as_text", "replay"]
