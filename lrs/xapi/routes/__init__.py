"""The routes of the xAPI room: the standard's resources, and the arrivals pages."""
