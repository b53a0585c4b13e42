"""A learning-record and data-interoperability backbone."""
