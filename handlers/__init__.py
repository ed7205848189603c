"""One file per thing a person does: each parses what came in, records it and acknowledges it."""
