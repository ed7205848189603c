"""The edges: each translates one outside system into the types of the core, and nothing more."""
