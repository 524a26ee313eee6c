"""The pure part: what findings, targets, plans and approvals are, and their rules. Standard library and pydantic only."""
