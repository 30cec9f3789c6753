from claude_tier_hooks import status_line

status_line.run()
