"""The soak: many requests under faults and kills for a long time, and tests with several bots."""
