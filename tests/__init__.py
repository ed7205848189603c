"""The tests: what maskbot promises, checked on real parts."""
