"""Who may stand for a record: the words that statements, files and forms share."""

VOUCHER = "https://w3id.org/lrs/voucher"
"""The extension of a statement's context that says who stands for it."""

VOUCHERS = ("teacher", "mentor", "employer", "accreditor", "peer", "machine", "learner")
"""What it may say."""
