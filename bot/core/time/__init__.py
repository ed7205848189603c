"""Times: as people write them, calendars, schedules, and countdowns on cards."""
