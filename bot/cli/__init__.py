"""The command line: commands, progress of a request, answers, findings."""
