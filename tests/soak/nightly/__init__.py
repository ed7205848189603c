"""Tests that are too long for every run: `script/soak` and `script/faults` run them by file name."""
