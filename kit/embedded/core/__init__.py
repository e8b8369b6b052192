"""The parts of the machine that know nothing of Kubernetes' rules: time, chance, the queue, the store, files, programs."""
