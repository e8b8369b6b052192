"""What a learner holds in a cell: the object `lab`, the cluster it stands on, and the magic `%%apply`."""
