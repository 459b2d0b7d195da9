"""Ibis: the only layer that talks to an engine."""
