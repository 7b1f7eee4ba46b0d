"""The parts of a synthetic fundus photograph: view, vessels, anatomy, texture and camera."""

from blurlab.dataset.synthetic.anatomy import Retina, draw_retina, paint_retina
from blurlab.dataset.synthetic.camera import Camera, draw_camera, expose
from blurlab.dataset.synthetic.tree import Branch, grow_vessels
from blurlab.dataset.synthetic.vessels import Depth, draw_vessels
from blurlab.dataset.synthetic.view import View, draw_view

__all__ = [
    "Branch",
    "Camera",
    "Depth",
    "Retina",
    "View",
    "draw_camera",
    "draw_retina",
    "draw_vessels",
    "draw_view",
    "expose",
    "grow_vessels",
    "paint_retina",
]
