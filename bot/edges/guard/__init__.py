"""The guard: root's part on a host. `text.py` joins the other modules into the one program that a host runs.

They run with the host's own Python, 3.6 or later, and import only what costs no time at the start.
"""
