"""One file per action. Each declares what it may touch and knows how to plan, apply, verify and undo it."""
