"""Experiments: build and run scenarios, keep their results, compare them."""
