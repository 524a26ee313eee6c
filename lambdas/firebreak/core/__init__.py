"""The pure part: what findings, targets, plans and approvals are, with their rules. Standard library, pydantic."""
