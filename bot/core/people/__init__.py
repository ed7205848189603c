"""People: who somebody is, who is on call, and how many of them make a quorum."""
