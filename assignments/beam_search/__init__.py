"""Beam search over a character model."""
