"""A model of hosts with systemd, in this process: what tests of people, time and words go to instead of real hosts.

It stands behind `ports.Hosts` like the way over SSH does, and has the units of the lab (tests/lab/units). The contract
in `test_contract.py` runs against it and against a real host, so that it says what systemd says.
"""
