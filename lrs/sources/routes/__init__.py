"""The pages and the API of attestations."""
