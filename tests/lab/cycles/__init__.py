"""Cycles of mask and undo on a real host, everything compared before and after: `python -m tests.lab.cycles`."""
