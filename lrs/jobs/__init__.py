"""Jobs: what runs beside the requests, on a lease, with a history of its runs."""
