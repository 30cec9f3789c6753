from claude_tier_hooks import protocol

protocol.run("SubagentStop")
