"""Admission plug-ins: one a file; `kit.embedded.api.admission` lists them in the API server's order."""
