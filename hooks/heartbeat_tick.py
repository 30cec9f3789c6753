from claude_tier_hooks import tick

raise SystemExit(tick.main())
