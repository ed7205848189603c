"""What everything in the workflow shares: its dependencies, and what this process knows about itself."""
