"""People: identities, who is on call, and how many approvals make a quorum."""
