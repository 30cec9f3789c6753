"""The saving of one conversation's responses, in the order they were given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claude_tier.report.savings import tokenizers
from claude_tier.report.savings.amounts import Amounts, total
from claude_tier.report.savings.rates import Rates, Response, read_instead, without_prompt

LEFT_OUT = Amounts(left_out=1)


def of_run(found: Sequence[Response], baseline: str, rates: Rates) -> Amounts:
    """A subagent's run against the model that would have done its work in its place.

    Its start and every cache it built again are taken off where any of it ran on another model.
    """
    tiered = _on_other_models(found, baseline)
    first = True
    sums = []
    for one, before in _with_before(found):
        price = rates.cost(baseline, one, one.tokens)
        made = _compared(one, baseline, price)
        if tiered and one.requests and made != LEFT_OUT:
            if first:
                startup = _dearer(price, rates.cost(baseline, one, without_prompt(one.tokens)))
                made = made._replace(startup_usd=startup)
            else:
                made = made._replace(rebuild_usd=_rebuilt(one, before, baseline, price, rates))
        first = first and not one.requests
        sums.append(made)
    return total(sums)


def of_main(
    found: Sequence[Response], baseline: str, rates: Rates
) -> Iterator[tuple[Response, Amounts]]:
    """Each response of the conversation itself against a model that was named.

    Only a change of its model makes it build its cache again for a reason of ours.
    """
    tiered = _on_other_models(found, baseline)
    for one, before in _with_before(found):
        price = rates.cost(baseline, one, one.tokens)
        made = _compared(one, baseline, price)
        if tiered and made != LEFT_OUT and _changed(one, before):
            made = made._replace(rebuild_usd=_rebuilt(one, before, baseline, price, rates))
        yield one, made


def changes(found: Sequence[Response], rates: Rates) -> Iterator[tuple[Response, Amounts]]:
    """What the conversation lost each time its model changed: it wrote to the cache what it could
    have read. Its responses themselves save nothing: it is the baseline."""
    for one, before in _with_before(found):
        if not _changed(one, before) or not _again(one, before):
            continue
        price = rates.cost(one.model, one, one.tokens)
        if one.usd is None or price is None:
            yield one, LEFT_OUT
        else:
            yield one, Amounts(rebuild_usd=_rebuilt(one, before, one.model, price, rates))


def model_at(found: Sequence[Response], at: float, known: str | None) -> str | None:
    """The model the conversation ran on then: of its last response, else of its next one, else
    the one its session is known to have."""
    answered = [one for one in found if one.requests]
    before = [one.model for one in answered if one.at <= at]
    if before:
        return before[-1]
    return answered[0].model if answered else known


def _with_before(found: Sequence[Response]) -> Iterator[tuple[Response, Response | None]]:
    """Each response with the one before it, calls of an advisor aside."""
    before = None
    for one in found:
        yield one, before
        before = one if one.requests else before


def _on_other_models(found: Sequence[Response], baseline: str) -> bool:
    return any(one.requests and not tokenizers.same(one.model, baseline) for one in found)


def _changed(one: Response, before: Response | None) -> bool:
    return bool(one.requests and before and not tokenizers.same(one.model, before.model))


def _compared(one: Response, baseline: str, price: float | None) -> Amounts:
    """A response's cost beside that on the baseline; the same where it ran on that.

    An advisor costs what it costs, whoever asks it.
    """
    if not one.requests or tokenizers.same(one.model, baseline):
        price = one.usd
    if one.usd is None or price is None:
        return LEFT_OUT
    factor = tokenizers.factor(one.model, baseline) if one.requests else 1.0
    return Amounts(
        requests=1 if one.requests else 0,
        corrected=int(factor not in (None, 1.0)),
        uncorrected=int(factor is None),
        actual_usd=one.usd,
        baseline_usd=price,
    )


def _again(one: Response, before: Response | None) -> float:
    """How many of the tokens it wrote to the cache had been there for the response before.

    As many as can be: what a compaction put in their place counts as written again.
    """
    if before is None:
        return 0.0
    was = before.cached * (tokenizers.factor(before.model, one.model) or 1.0)
    return max(0.0, min(one.written, was - one.tokens[2]))


def _rebuilt(
    one: Response, before: Response | None, model: str, price: float | None, rates: Rates
) -> float:
    """What the tokens cost that were written again, above the price of reading them."""
    again = _again(one, before)
    if not again:
        return 0.0
    return _dearer(price, rates.cost(model, one, read_instead(one.tokens, again)))


def _dearer(one: float | None, other: float | None) -> float:
    return max(0.0, one - other) if one is not None and other is not None else 0.0
