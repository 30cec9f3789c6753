"""Put claude-tier into Claude Code's settings and take it out again, leaving the rest as it was."""
