"""What of a saving is measured and what is assumed, in words."""

from __future__ import annotations

from claude_tier.report import figures
from claude_tier.report.savings import baselines, tokenizers
from claude_tier.report.savings.amounts import Amounts


def sentence(baseline: str, found: Amounts) -> str:
    """One or two plain sentences, with the correction and its source where it was used."""
    said = [_measured(baseline, found), _assumed(baseline)]
    if found.corrected:
        said.append(
            f"Tokens of {figures.plural(found.corrected, 'response')} were converted between"
            f" tokenizers by the factor {tokenizers.FACTOR:g} ({tokenizers.SOURCE})."
        )
    if found.uncorrected:
        said.append(
            f"Of {figures.plural(found.uncorrected, 'response')} no conversion between the"
            " tokenizers is known: their tokens are taken as they were counted."
        )
    if found.left_out:
        said.append(
            f"{figures.plural(found.left_out, 'response')} left out: no price is known of the"
            " model that ran, or of the baseline."
        )
    return " ".join(said)


def _measured(baseline: str, found: Amounts) -> str:
    whose = "subagents" if baseline == baselines.MAIN else "conversations and subagents"
    return (
        f"Measured: the tokens and the cost of {figures.plural(found.requests, 'response')}"
        f" of {whose}."
    )


def _assumed(baseline: str) -> str:
    other = "the main model of their session" if baseline == baselines.MAIN else baseline
    return (
        f"Assumed: {other} would have needed the same requests, at list prices; what a subagent"
        " reads to start, and what is written to a cache again, is taken off."
    )
