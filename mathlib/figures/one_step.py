"""Figures of notebook 04."""

__all__ = []
