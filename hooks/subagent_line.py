from claude_tier_hooks import subagent_line

subagent_line.run()
