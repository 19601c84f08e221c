"""The commands of ``./centrala``: real processes, in folders and on ports of their own."""
