"""The claude-tier command: installs, configures and reports; the hooks do the work in a session."""
