"""The steps. Each is run once, in the transaction of the start that finds it missing."""
