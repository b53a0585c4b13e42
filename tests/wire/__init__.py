"""Several real processes on one server that speaks MongoDB's protocol."""
