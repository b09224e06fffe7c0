"""The assignments: one folder each, with what is handed out and what is not."""
