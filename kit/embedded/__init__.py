"""The simulated cluster: a pure machine, turned by `kit.runtime`."""
