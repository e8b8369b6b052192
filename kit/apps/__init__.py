"""Applications of the course that also run as real images."""
