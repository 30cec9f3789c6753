"""`status --watch`: the live terminal monitor."""
