"""The vocabulary of Kubernetes, true for any cluster: kinds, schemas, defaults, patches, selectors, refusals. Pure."""
