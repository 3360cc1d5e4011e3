"""A published survival abstract made executable."""

__version__ = "0.4.0"
