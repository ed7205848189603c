"""Times: as people write them, on calendars and schedules, and counted down on cards."""
