"""Figures: one style, one way to save, one module a subject."""
