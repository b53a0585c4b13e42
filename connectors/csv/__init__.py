"""Spreadsheets saved as CSV: who was where, for how long, with what result.

``config`` reads what the columns mean, ``table`` reads the file, ``values`` reads what stands
in a cell, ``mapping`` makes statements of lines, ``connector`` joins them.
"""
