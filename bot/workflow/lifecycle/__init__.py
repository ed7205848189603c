"""A request from its first check to its outcome. Read in order: preflight, act_on, start, carry_out, finish."""
