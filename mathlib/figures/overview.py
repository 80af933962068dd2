"""Figures of notebook 00."""

__all__ = []
