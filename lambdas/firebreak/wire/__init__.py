"""Foreign formats as they come: what sources read with, and the tables they read by. Pure; only sources import it."""
