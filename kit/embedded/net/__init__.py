"""The network between Pods, nodes and the world outside."""
