"""Is everything alive: a page for people and machines, and figures for Prometheus."""
