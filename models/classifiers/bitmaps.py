"""The ten digits that the output of LeNet-5 (1998) compares with: 7 wide, 12 high.

LeCun et al. 1998, section II.B: the target of F6 for a class is a stylised picture of
its character, 84 values of -1 and +1, so that similar characters have similar codes.
These are drawn for this project.
"""

import torch
from torch import Tensor

WIDTH, HEIGHT = 7, 12
DIGITS = """
.#####.  ...#...  .#####.  #######  ....##.  #######  ..####.  #######  .#####.  .#####.
##...##  ..##...  ##...##  .....##  ...###.  ##.....  .##....  .....##  ##...##  ##...##
##...##  .###...  .....##  .....##  ...###.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...#...  .....##  ....##.  ..#.##.  ##.....  ##.....  ....##.  ##...##  ##...##
##...##  ...#...  .....##  ...##..  ..#.##.  ######.  ##.....  ....##.  .##.##.  ##...##
##...##  ...#...  ....##.  ..####.  .#..##.  .....##  ######.  ...##..  ..###..  .######
##...##  ...#...  ...##..  .....##  .#..##.  .....##  ##...##  ...##..  .##.##.  .....##
##...##  ...#...  ..##...  .....##  #######  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...#...  .##....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...#...  ##.....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...#...  ##.....  ##...##  ....##.  ##...##  ##...##  ..##...  ##...##  ....##.
.#####.  .#####.  #######  .#####.  ....##.  .#####.  .#####.  ..##...  .#####.  .####..
"""


def draw_digits() -> Tensor:
    """Return the ten digits, float32 ``[10, 84]``, +1 for ink and -1 for paper, row by row."""
    rows = [line.split() for line in DIGITS.split("\n") if line]
    return torch.tensor(
        [[1.0 if c == "#" else -1.0 for row in rows for c in row[digit]] for digit in range(10)]
    )
