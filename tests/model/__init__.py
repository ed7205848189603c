"""Model hosts with systemd, in this process: for tests of people, time, words and steps that need no real host.

The model stands behind `ports.Hosts` as SSH does, with the units of the lab (tests/lab/units) or of a test.
`test_contract.py` and `test_habits.py` run against it and against a real host, so it behaves as systemd does.
"""
