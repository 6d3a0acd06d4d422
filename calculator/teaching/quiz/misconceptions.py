"""All misconceptions by key.

Each computes its wrong answer with its formula in ``mistakes.py``, except those that
choose a wrong layer or a wrong convention.
"""

from calculator.teaching.quiz.counts import CHANNELS, PARAMETERS
from calculator.teaching.quiz.exercises import Misconception
from calculator.teaching.quiz.sizes import FIELDS, SIZES
from calculator.teaching.quiz.work import CHOICES, MEMORY, WORK

MISCONCEPTIONS: dict[str, Misconception] = {
    one.key: one for one in (*SIZES, *FIELDS, *CHANNELS, *PARAMETERS, *WORK, *MEMORY, *CHOICES)
}
