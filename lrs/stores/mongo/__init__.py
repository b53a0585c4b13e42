"""The scale-out engine: MongoDB, with a segment log as its commit."""
