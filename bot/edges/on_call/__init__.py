"""On-call sources: a command that is run, or a URL that is fetched."""
