"""Keeping the ledger whole: checking it, and salvaging a damaged one into a fresh one."""
