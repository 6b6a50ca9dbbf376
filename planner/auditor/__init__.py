"""Independent audit: reads a plan folder and shares no code with the model."""
