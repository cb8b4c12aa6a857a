"""What the user's own application verifies notifications with."""
