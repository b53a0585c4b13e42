"""Sources: connectors set up for an institution, their runs, and attestation forms."""
