"""Ways to have a cluster: embedded, kind, kubeconfig."""
