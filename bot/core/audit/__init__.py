"""The audit log: a chain of events, and its shipping to sinks."""
