"""How gradients fare on their way back through time."""
