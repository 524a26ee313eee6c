"""The Lambda entry points: parse, call one use case, return or raise."""
