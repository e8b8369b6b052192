"""The nodes: kubelets, and the machine that drives the programs of containers."""
