"""A published survival abstract made executable."""

__version__ = "0.2.0"
