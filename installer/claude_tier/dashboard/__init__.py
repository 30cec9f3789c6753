"""The page on loopback: server, keys, figures and metrics. Only `dashboard` imports it."""
