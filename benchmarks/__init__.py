"""Benchmarks: `make bench`. Every figure is a ratio of two things measured in one run; nothing here is a test."""
