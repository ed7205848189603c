"""Measurements, as ratios against a floor in the same run; nothing here is asserted by the suite."""
