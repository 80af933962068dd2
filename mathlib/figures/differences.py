"""Figures of notebook 03."""

__all__ = []
