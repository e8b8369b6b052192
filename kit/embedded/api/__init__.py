"""The API server of the embedded cluster: `server.Api` is its door."""
