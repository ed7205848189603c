"""Benchmarks, as ratios against a baseline in the same run; the suite asserts none of them."""
