"""What a person at a terminal sees: how a request comes along, answers, findings."""
