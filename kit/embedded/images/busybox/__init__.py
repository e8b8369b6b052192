"""The busybox image: a POSIX shell and its applets as generator programs over the calls of `core/program.py`."""
