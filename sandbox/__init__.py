"""The embedded AWS of `make demo` and of the tests. Nothing in the deployed asset imports it."""
