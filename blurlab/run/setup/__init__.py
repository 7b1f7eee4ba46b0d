"""What a run is made of, built once from its configuration: parts, photographs, logger, trainer."""
