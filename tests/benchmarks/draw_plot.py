"""The points of a plot → its picture, in the environment that has matplotlib: `draw_plot.py plot.json plot.png`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt


def main() -> None:
    source, picture = map(Path, sys.argv[1:])
    data = json.loads(source.read_text("utf-8"))
    mpl.use("agg")
    figure, (speed, memory) = plt.subplots(1, 2, figsize=(13, 5.5), layout="constrained")
    figure.suptitle(data["title"])
    for tool in dict.fromkeys(point["tool"] for point in data["points"]):
        points = [point for point in data["points"] if point["tool"] == tool]
        rows = [point["rows"] for point in points]
        line = {"marker": "o", "linestyle": "--" if "floor" in tool else "-", "label": tool}
        speed.plot(rows, [point["rows_per_second"] for point in points], **line)
        memory.plot(rows, [point["megabytes"] for point in points], **line)
    speed.set(xscale="log", yscale="log", xlabel="rows", ylabel="rows/s")
    memory.set(xscale="log", xlabel="rows", ylabel="peak memory of the client, MB")
    memory.set_ylim(bottom=0)
    for axes in (speed, memory):
        axes.grid(visible=True, which="both", alpha=0.3)
    speed.legend(fontsize="small")
    figure.savefig(picture)


if __name__ == "__main__":
    main()
