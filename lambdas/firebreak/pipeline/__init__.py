"""The use cases, one per function: triage plan ask answer decide execute close sweep prepare."""
