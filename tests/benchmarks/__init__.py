"""Measurements with the commands that make them; figures in RESULTS.md. Nothing here is asserted in a test."""
