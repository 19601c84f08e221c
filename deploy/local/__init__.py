"""One machine, one command: embedded servers, set-up steps, the supervisor, and the commands of ``./centrala``."""
