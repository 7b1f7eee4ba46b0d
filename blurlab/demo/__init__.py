"""A page on which a photograph is dropped, its blur is named and measured, and undone; served on this machine alone."""
