"""Critique of the design as computation: comparability, calendar time, immortal time, censoring, cure."""
