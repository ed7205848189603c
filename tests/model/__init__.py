"""A model of hosts with systemd in this process, for tests about people, time, words and steps, which need no real
host.

It implements `ports.Hosts` like SSH does, and has the units of the lab (tests/lab/units) or those that a test writes.
`test_contract.py` and `test_habits.py` run against it and against a real host, so that it says and does what systemd
does.
"""
