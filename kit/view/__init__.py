"""Pictures of a cluster, as data: API objects in, a scene of boxes and lines out, and from one scene the SVG, the text and the DOT."""
