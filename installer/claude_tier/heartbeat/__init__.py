"""Routine checks on cheap models: read from HEARTBEAT.md, run once for each planned time."""
