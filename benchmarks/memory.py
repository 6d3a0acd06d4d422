"""Whether memory grows with the folder: peak of `impasto stylize` for few and many photos.

python benchmarks/memory.py --photos examples/photos
"""

import argparse
import tempfile
from pathlib import Path

from measuring import describe_machine, run_process
from PIL import Image
from stylize import compose_photos


def measure_peak(source: Path, count: int, long_side: int) -> float:
    """Return the peak resident memory in MiB of painting ``count`` photos of mixed sizes."""
    with tempfile.TemporaryDirectory() as scratch:
        photos, painted = Path(scratch, "photos"), Path(scratch, "painted")
        photos.mkdir()
        compose_photos(source, photos, count)
        for number, path in enumerate(sorted(photos.iterdir())):
            with Image.open(path) as picture:
                picture.thumbnail((long_side - number % 97, long_side))
                picture.save(path)
        return run_process(["impasto", "stylize", str(photos), "-o", str(painted)]).peak_mib


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[50, 2000])
    parser.add_argument("--long-side", type=int, default=512, help="largest of 97 sizes, pixels")
    args = parser.parse_args()
    print(describe_machine(["onnxruntime", "Pillow", "numpy"]))
    for count in args.counts:
        peak = measure_peak(args.photos, count, args.long_side)
        print(f"{count:>6} photos  {peak:7.0f} MiB")


if __name__ == "__main__":
    main()
