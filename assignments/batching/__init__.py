"""From text to numbers and back, and the numbers cut into batches."""
