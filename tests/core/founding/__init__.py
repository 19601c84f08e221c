"""The first steps of a company."""
