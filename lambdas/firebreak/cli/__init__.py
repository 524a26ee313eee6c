"""The operator's command `firebreak`. Left out of the deployed asset."""
