"""What can be called: one file a subject, each with a table of functions by name. Which values they take is checked before."""
