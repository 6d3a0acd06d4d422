"""The network as a picture for a lecture: boxes, lanes, lines, written as SVG."""
