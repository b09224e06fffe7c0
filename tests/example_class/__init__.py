"""The example class that `make grade` grades: made from `class.toml`, with the scores its notes predict."""
