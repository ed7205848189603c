"""Drift: what happens on hosts after a change, noticed and reported."""
