"""A character language model over the cells of the course."""
