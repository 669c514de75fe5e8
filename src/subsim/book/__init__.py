"""The company's own data as of a day: reading, checking, its ledger, and the start state of a simulation."""

from subsim.book.book import Book
from subsim.book.columns import TableReport
from subsim.book.opening import Opening
from subsim.book.problems import BookProblems, Problem
from subsim.book.rates import empirical_rates
from subsim.book.reader import read_book

__all__ = ["Book", "BookProblems", "Opening", "Problem", "TableReport", "empirical_rates", "read_book"]
