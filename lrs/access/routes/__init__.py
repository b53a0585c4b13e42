"""The routes of the access room: the API of institutions and keys, and signing in."""
