"""Getting Centrala to run: on one machine for development and small companies, later on many."""
