"""A server that speaks MongoDB's wire protocol, for tests: mongo-java-server, in memory."""
