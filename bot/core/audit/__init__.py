"""The audit record: a chain of events, and its shipping to sinks."""
