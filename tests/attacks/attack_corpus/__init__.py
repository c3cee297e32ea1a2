"""Attacks on the grader, as data. Adding one is adding one record to its family's file."""

from attack_corpus.answers import READING
from attack_corpus.beside import BESIDE
from attack_corpus.jupyter import JUPYTER
from attack_corpus.libraries import LIBRARIES
from attack_corpus.others import OTHERS
from attack_corpus.papers import PAPERS
from attack_corpus.privileges import PRIVILEGES
from attack_corpus.record import Attack
from attack_corpus.resources import RESOURCES
from attack_corpus.results import RESULTS
from attack_corpus.untold import UNTOLD

CORPUS: tuple[Attack, ...] = (
    *RESULTS,
    *JUPYTER,
    *READING,
    *LIBRARIES,
    *PAPERS,
    *BESIDE,
    *RESOURCES,
    *OTHERS,
    *PRIVILEGES,
)

__all__ = ["CORPUS", "UNTOLD", "Attack"]
