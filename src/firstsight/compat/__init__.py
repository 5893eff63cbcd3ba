"""Stand-ins with the calls of other tools, so that existing code switches by changing an import."""
