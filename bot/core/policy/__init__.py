"""The policy: what a rule may look at, the rules in their order, and the decision."""
