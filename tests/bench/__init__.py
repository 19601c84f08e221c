"""Benchmarks: run by hand against a running installation, never as timed tests. Each prints ratios against a floor."""
