"""A request from its first check to its outcome. Read in order: preflight, start, carry_out, finish."""
