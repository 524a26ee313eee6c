"""Firebreak: automatic, careful response to threats in an AWS estate."""
