"""Explains polls, records and replays them, and diagnoses instances; changes nothing."""
