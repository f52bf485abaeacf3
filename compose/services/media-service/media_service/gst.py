"""GStreamer, imported and initialised in one place."""

import gi

gi.require_version("Gst", "1.0")

from gi.repository import Gst  # noqa: E402

Gst.init(None)

# Looking a plug-in up for the first time opens its library. A waiting worker does this before it has a stream, because
# what the publisher sends meanwhile is lost.
_ELEMENTS = """
    rtspsrc rtpbin rtpjitterbuffer rtph264depay h264parse rtpmp4gdepay decodebin avdec_aac audioconvert audioresample
    appsink appsrc avenc_aac aacparse flvmux rtmp2sink mp4mux
"""
for _name in _ELEMENTS.split():
    Gst.ElementFactory.make(_name, None)

# PyGObject makes a class when it is first asked for. Two threads that do so at once get two of it ("Expected
# Gst.PadProbeInfo, but got gi.repository.Gst.PadProbeInfo") or one half made ("FlowReturn has no attribute OK"), and a
# track is lost without a word. So all are made now, which takes 15 ms.
for _name in dir(Gst):
    getattr(Gst, _name)

__all__ = ["Gst"]
