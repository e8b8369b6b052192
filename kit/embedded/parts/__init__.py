"""What several controllers are made of, since no controller imports another."""
