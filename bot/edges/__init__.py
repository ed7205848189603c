"""The edges: each translates one outside party into the words of the core, and nothing more."""
