"""Shared by everything in the workflow: its dependencies, and what this process knows about itself."""
