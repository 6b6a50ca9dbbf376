"""Why there is no plan, and which rules a schedule breaks."""
