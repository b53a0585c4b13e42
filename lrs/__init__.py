"""A learning-record and data-interoperability backbone."""

__version__ = "0.1.0"
