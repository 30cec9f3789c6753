"""Groups: environments for the unmodified `claude`, on Claude itself or on another endpoint.

`variables` says what is taken out of an environment and why, `profile` what is put in,
`settings` and `arguments` find what would undo that, `running` runs the client in it.
"""
