from claude_tier_hooks import protocol

protocol.run("PreToolUse")
