"""Custom resources: what a CustomResourceDefinition makes of its schema, and what that schema asks of objects.

Pure vocabulary like the rest of `kit.kube`: `definition` compiles a definition into resources, `fitting` prunes and fills in,
`values` and `listtypes` say what is wrong, `rules` evaluates x-kubernetes-validations.
"""
