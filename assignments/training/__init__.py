"""Training with truncated back-propagation through time."""
