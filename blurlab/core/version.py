"""The package's version, which pyproject.toml and CITATION.cff repeat."""

VERSION = "0.1.0"
