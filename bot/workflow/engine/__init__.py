"""The engine: workers that claim what is due, timers, periodic tasks, and configuration reload."""
