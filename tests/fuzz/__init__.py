"""Fuzzing of what reads untrusted bytes: `python -m tests.fuzz --help` runs a campaign and replays a case."""
