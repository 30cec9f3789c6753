"""`doctor`: finds what keeps the hooks from working; it changes nothing.

A check is a function from a Machine to findings; a new one is one function and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from claude_tier.install.doctor import (
    asking,
    beating,
    counting,
    registration,
    runtime,
    surroundings,
    tools,
)
from claude_tier.install.doctor.machine import Machine
from claude_tier.install.doctor.report import Finding, Report, closed, fault

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
    tools.local_models,
    asking.providers,
    beating.heartbeat,
)


def examine(machine: Machine, checks: Iterable[Check] = CHECKS) -> Report:
    """Everything found, in the order of the checks."""
    found = [finding for check in checks for finding in _made(check, machine)]
    return Report(tuple(dict.fromkeys(found)))  # what keeps many checks from working is said once


def _made(check: Check, machine: Machine) -> list[Finding]:
    """The findings of one check; where it fails itself, the others are still worth having."""
    try:
        return list(check(machine))
    except PermissionError as error:
        return [_denied(error, machine)]
    except Exception as error:  # noqa: BLE001 - it is asked when things are broken
        return [fault(check.__name__, f"this check failed: {type(error).__name__}: {error}")]


def _denied(error: PermissionError, machine: Machine) -> Finding:
    path = Path(str(error.filename))
    return closed(machine.state if path.is_relative_to(machine.state) else path)
