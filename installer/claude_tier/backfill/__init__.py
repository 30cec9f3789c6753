"""Reading very much at once: every transcript of a user's history, on every core."""
