"""The migration steps. Each runs once, in the transaction of the start that finds it missing."""
