"""The policy: the facts a rule may look at, the rules in their order, and the decision."""
