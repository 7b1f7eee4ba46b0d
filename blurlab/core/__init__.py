"""Tensors in, tensors out: Fourier conventions, boundaries, random generators, checks, image files."""
