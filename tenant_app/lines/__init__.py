"""Lines, their devices, and the way to the telephone network: for those who manage them, and everybody's own line."""
