"""A model of hosts with systemd, in this process: where tests of people, time, words and steps need no real ones.

It stands behind `ports.Hosts` like the way over SSH does, and has the units of the lab (tests/lab/units) or those that
a test writes. `test_contract.py` and `test_habits.py` run against it and against a real host, so that it says what
systemd says, and does what systemd does.
"""
