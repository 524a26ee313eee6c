"""The fault harness: every transition of the pipeline, broken at every call, held against the invariants."""
