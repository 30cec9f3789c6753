"""Providers from the user's side: what is configured, what works, what this machine could run.

`listing` says what is configured, `checking` what of it works, `looking` what is there besides;
`memory` and `catalogue` say which models fit, `proposing` makes additions to config.yaml of it, and
`insertion` and `writing` put them in without touching anything that the user wrote.
"""
