"""Sampling with temperature, and writing text with a model."""
