"""The edge of the embedded cluster: its process, HTTPS, sockets, the wall clock and the disk."""
