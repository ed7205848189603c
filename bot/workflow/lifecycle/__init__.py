"""A request from the first check to its outcome; to be read in order: preflight, start, carry_out, finish."""
