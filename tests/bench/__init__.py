"""Benchmarks: run by hand, never timed tests."""
