"""`doctor`: finds what keeps the hooks from working; it changes nothing.

A check is a function from a Machine to findings; a new one is one function and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from claude_tier.install.doctor import counting, registration, runtime, surroundings
from claude_tier.install.doctor.machine import Machine
from claude_tier.install.doctor.report import Finding, Report, fault

__all__ = ["CHECKS", "Check", "Machine", "Report", "examine"]

Check = Callable[[Machine], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    registration.settings_files,
    registration.hooks,
    registration.interpreter,
    registration.double_install,
    runtime.unfinished,
    runtime.copy,
    runtime.policy,
    runtime.switch,
    runtime.last_run,
    runtime.faults,
    counting.ledger,
    counting.waiting,
    counting.disk,
    counting.modes,
    counting.prices,
    surroundings.client,
    surroundings.conflicting,
    surroundings.agents,
    surroundings.status_line,
    surroundings.subagent_line,
)


def examine(machine: Machine, checks: Iterable[Check] = CHECKS) -> Report:
    """Everything found, in the order of the checks."""
    return Report(tuple(finding for check in checks for finding in _made(check, machine)))


def _made(check: Check, machine: Machine) -> list[Finding]:
    """The findings of one check; where it fails itself, the others are still worth having."""
    try:
        return list(check(machine))
    except Exception as error:  # noqa: BLE001 - it is asked when things are broken
        return [fault(check.__name__, f"this check failed: {type(error).__name__}: {error}")]
