"""The hook runtime: standard library only, because it runs inside other people's sessions."""

__version__ = "0.1.0"
