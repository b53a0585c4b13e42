"""Every table of the rooms behind the record store is one of two: recorded or derived.

*Recorded* (``recorded.py``): what was decided or received at a moment. Never computed again,
and every change of it stands in its institution's history. *Derived* (``derived.py``): a pure
function of what is recorded, in order; it may be thrown away and made again to the same bytes.

Rooms name their kinds and tables themselves, and keep the shape of what lies in them to
themselves; the engines know neither.
"""
