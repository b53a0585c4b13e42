"""What all routes share: strict parsing, the error table, the base page."""
