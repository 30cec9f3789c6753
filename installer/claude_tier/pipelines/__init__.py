"""Pipelines: files of steps, each with a model, a budget and a fallback of its own.

A pipeline may come with somebody's clone. It can run no command, reach no host that config.yaml
does not name, and read and write nothing outside the folder that it is run in.
"""
