"""The router: which model a task goes to, who serves it, and what happens when that fails.

`classify` recognises the task, `routes` picks a target, `chain` tries targets in order over
`providers`, `cooldown` keeps out what failed, `accounting` puts every request into the ledger.
"""
