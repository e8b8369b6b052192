"""A small synchronous layer over one Kubernetes API server, true for any cluster.

    kubeconfig ── connect ──► Connection ── Objects (get, list, create, apply, delete, watch, log)
                                   │── execute (a command in a container), forward (a port of a Pod)
                                   └── Control (clock, trace, reset, outside, leases: only where the provider has them)

Objects are plain dicts shaped as the API sends them. Errors are `kit.errors.Status` (what the API answered) and
`kit.errors.KitError` (what the kit says). The wire is urllib3, which the official client uses too; the official client
itself, which takes 0.8 s to import, is made on demand by `Connection.official()`.
"""
