"""What tiering saved: the same requests on a baseline model, less what they really cost.

Net of what tiering itself costs: the start of a subagent and caches that are built again. See
docs/savings.md for the method and its limits.
"""

from claude_tier.report.savings.baselines import MAIN
from claude_tier.report.savings.keeping import bring_up
from claude_tier.report.savings.measured import Part, Savings, query
from claude_tier.report.savings.screen import as_text

__all__ = ["MAIN", "Part", "Savings", "as_text", "bring_up", "query"]
