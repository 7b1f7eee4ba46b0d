"""The page itself, made of Gradio's components (extra ``demo``), and the server that hands it out on 127.0.0.1."""

from __future__ import annotations

import html
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blurlab.demo import work
from blurlab.demo.limited import Limited
from blurlab.report.photographs import drawn_kernel, fitted, most_detail, to_bytes

HOST = "127.0.0.1"
"""No other machine sees the page."""
SHOWN_PX, DETAIL_PX, THUMBNAIL_PX = 1200, 300, 160
"""Longest side of a photograph on the page, side of a detail, and longest side of a photograph to choose."""
RANGES = {"motion": (4, 60, 12), "defocus": (1, 12, 4), "gaussian": (0.5, 6, 2), "shake": (26, 72, 40)}
"""Least, greatest and first strength of each kind, px."""
STRENGTHS = "length of a motion or of a shake's path, radius of a defocus, sigma of a Gaussian"
ASKED = "which of the two networks of the package is asked"
WAITING, SECONDS_KEPT = 8, 3600
"""How many may wait for their turn, and how long a photograph stays in memory, s."""
INTRODUCTION = f"""# blurlab
Names the blur in a photograph, measures it, and undoes it. Nothing leaves this machine. A photograph may have
{work.MAX_BYTES // 1_000_000} MB and {work.MAX_PIXELS // 1_000_000} megapixels; `blurlab deblur` takes larger ones, and
folders."""


@contextmanager
def served(port: int | None = None, *, browser: bool = False) -> Iterator[str]:
    """Serve the page while the block runs; what was uploaded is gone afterwards.

    Args:
        port: Of ``HOST``; None: the first that is free from 7860 on.
        browser: Open the page in the user's browser.

    Yields:
        The page's address.

    Raises:
        ModuleNotFoundError: If Gradio is not there.
        OSError: If the port is not free.
    """
    with TemporaryDirectory(prefix="blurlab-demo-", ignore_cleanup_errors=True) as folder:
        # read when Gradio is imported: it asks nobody, and keeps files nowhere else
        os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "GRADIO_TEMP_DIR": folder}
        import gradio as gr
        from starlette.middleware import Middleware

        page = build(Path(folder))
        fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
        _, address, _ = page.queue(max_size=WAITING, default_concurrency_limit=1).launch(
            server_name=HOST,
            server_port=port,
            share=False,
            inbrowser=browser,
            quiet=True,
            prevent_thread_lock=True,
            max_file_size=work.MAX_BYTES,
            app_kwargs={"middleware": [Middleware(Limited, most_bytes=work.MAX_BYTES)]},
            allowed_paths=[],
            footer_links=[],
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            state_session_capacity=WAITING,
            theme=gr.themes.Base(**fonts),
        )
        try:
            yield address
        finally:
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # requests that are cut off are no news
            page.server.force_exit = True  # an open page in a browser is not waited for
            page.close(verbose=False)


def build(folder: Path) -> Any:
    """The page as ``gradio.Blocks``; files that it makes lie in a folder of its own."""
    import gradio as gr

    with gr.Blocks(title="blurlab", analytics_enabled=False, delete_cache=(SECONDS_KEPT, SECONDS_KEPT)) as page:
        opened, done = (gr.State(None, time_to_live=SECONDS_KEPT) for _ in range(2))
        gr.Markdown(INTRODUCTION)
        message = gr.HTML(elem_id="message")
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                file = gr.File(label="1. Drop a photograph", file_types=["image"], height=110, elem_id="file")
                choice = gr.Dataset(
                    label="or take one of scikit-image's",
                    components=[gr.Image(visible=False)],
                    samples=[[str(path)] for path in thumbnails(folder)],
                    type="index",
                    samples_per_page=len(work.PHOTOGRAPHS),
                    elem_id="choice",
                )
                with gr.Accordion("2. Blur it here, to know the truth (if you like)", open=False):
                    kind = gr.Radio([*work.KINDS], value="motion", label="kind of blur", elem_id="kind")
                    strength = gr.Slider(*_span("motion"), label="strength [px]", info=STRENGTHS, elem_id="strength")
                    angle = gr.Slider(0, 179, 30, step=1, label="angle of a motion [deg]", elem_id="angle")
                    noise = gr.Slider(0, 0.02, 0.004, step=0.001, label="noise, of white = 1", elem_id="noise")
                    blur = gr.Button("Blur it", elem_id="blur")
                shows = gr.Radio(
                    [*work.SHOWS], value=work.FOUND_OUT, label="What does it show?", info=ASKED, elem_id="shows"
                )
                restore = gr.Button("3. Identify and undo", variant="primary", elem_id="restore")
                photo = gr.Image(label="The photograph", interactive=False, buttons=[], elem_id="photo")
            with gr.Column(scale=3, min_width=400):
                slider = gr.ImageSlider(label="Before | after", interactive=False, max_height=560, elem_id="slider")
                with gr.Row():
                    share = gr.Slider(0, 1, 1, step=0.05, label="share restored", elem_id="share", scale=2)
                    what = gr.Radio(["whole", "detail"], value="whole", label="show", elem_id="what")
                    download = gr.DownloadButton("Download", interactive=False, elem_id="download")
                explained = gr.Textbox(label="What was found and done", lines=3, interactive=False, elem_id="explained")
                with gr.Row():
                    table = gr.Dataframe(
                        headers=["", "found (90 % interval)", "truth"],
                        interactive=False,
                        buttons=[],
                        elem_id="table",
                        scale=3,
                    )
                    kernel = gr.Image(label="Kernel", interactive=False, buttons=[], height=180, elem_id="kernel")

        seen = [file, message, opened, photo, done, table, kernel, explained, slider, download]
        pictures = [slider, download, explained]
        actions = Actions(folder)
        quiet = {"api_visibility": "private", "show_progress_on": [slider]}
        file.upload(actions.take_file, file, seen[1:], **quiet)
        choice.click(actions.take_bundled, choice, seen, **quiet)
        kind.change(lambda name: gr.Slider(*_span(name)), kind, strength, api_visibility="private")
        blur.click(actions.blur, [opened, kind, strength, angle, noise], seen[1:], **quiet)
        restore.click(actions.restore, [opened, share, what, shows], [message, done, table, kernel, *pictures], **quiet)
        for changed in (share.release, share.input, what.change):
            changed(actions.show, [done, share, what], pictures, trigger_mode="always_last", **quiet)
    return page


class Actions:
    """What the page's buttons do; each returns the values of components, the first of them a message.

    Args:
        folder: Where files are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take_file(self, path: str | None) -> list[Any]:
        """Open the file that was dropped."""
        return self._taken(lambda: work.open_file(Path(path or "")))

    def take_bundled(self, index: int) -> list[Any]:
        """Open a photograph of scikit-image's, and take a dropped one out of its box."""
        return [None, *self._taken(lambda: work.open_file(work.bundled(work.PHOTOGRAPHS[index])))]

    def blur(self, opened: work.Opened | None, kind: str, strength: float, angle: float, noise: float) -> list[Any]:
        """Blur the photograph."""
        return self._taken(lambda: work.blurred(_there(opened), kind, strength, angle, noise, self._new()))

    def restore(self, opened: work.Opened | None, share: float, what: str, shows: str = work.FOUND_OUT) -> list[Any]:
        """Name, measure and undo its blur."""
        try:
            done = work.restored(_there(opened), shows)
        except ValueError as error:
            return [alert(error), None, None, None, *_NOTHING]
        drawn = drawn_kernel(done.result.kernel) if done.result.restored else None
        return ["", done, [[*row] for row in work.found_rows(done)], _colours(drawn), *self.show(done, share, what)]

    def show(self, done: work.Restored | None, share: float, what: str) -> list[Any]:
        """The pictures before and after, the file to download, and the explanation."""
        import gradio as gr

        if done is None:
            return [*_NOTHING]
        before, after = to_bytes(done.opened.read.pixels), to_bytes(done.image(share))
        if what == "detail":
            place = most_detail(before, DETAIL_PX)
            before, after = before[place], after[place]
        pair = tuple(_colours(fitted(image, SHOWN_PX)) for image in (before, after))
        said, gain = done.result.explain(), work.gain_db(done, share)
        if gain is not None:
            said += " Against the sharp photograph: {:.2f} dB before, {:.2f} dB after (PSNR).".format(*gain)
        ready = gr.DownloadButton("Download", value=str(work.save(done, share, self._new())), interactive=True)
        return [pair, ready, said]

    def _taken(self, take: Callable[[], work.Opened]) -> list[Any]:
        try:
            opened = take()
        except ValueError as error:
            return [alert(error), None, None, None, None, None, "", None, _no_download()]
        shown = _colours(fitted(to_bytes(opened.read.pixels), SHOWN_PX))
        return ["", opened, shown, None, None, None, "", None, _no_download()]

    def _new(self) -> Path:
        """A folder for the files of one action."""
        from tempfile import mkdtemp

        return Path(mkdtemp(dir=self.folder))


_NOTHING = (None, None, "")


def thumbnails(folder: Path) -> list[Path]:
    """Small copies of the photographs that are offered, as files in a folder."""
    from blurlab.core.image_io import read_image, write_image

    return [
        write_image(folder / f"{name}.png", fitted(to_bytes(read_image(work.bundled(name))), THUMBNAIL_PX))
        for name in work.PHOTOGRAPHS
    ]


def alert(error: ValueError) -> str:
    """An error as HTML, whatever characters a file's name has.

    Example:
        >>> alert(ValueError("<b>.png is empty"))
        '<p role="alert" style="color: #b00020; font-weight: 600">&lt;b&gt;.png is empty</p>'
    """
    return f'<p role="alert" style="color: #b00020; font-weight: 600">{html.escape(str(error))}</p>'


def _there(opened: work.Opened | None) -> work.Opened:
    if opened is None:
        raise ValueError("there is no photograph yet: drop one, or take one of scikit-image's")
    return opened


def _colours(image: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
    return None if image is None else np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def _span(kind: str) -> tuple[float, float, float]:
    return RANGES[kind]


def _no_download() -> Any:
    import gradio as gr

    return gr.DownloadButton("Download", value=None, interactive=False)
