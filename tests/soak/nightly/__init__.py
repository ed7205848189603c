"""Tests that take too long for every run: `script/soak` and `script/faults` run them, by the names of their files."""
