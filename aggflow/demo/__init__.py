"""The demo: a year of real flights, from source rows to states to answers, checked against the source."""

from aggflow.demo.definitions import DAILY, DELAYS, WORST
from aggflow.demo.flights import END, END_TEXT, MONTHS, read_flights, write_flights
from aggflow.demo.tolerance import TOLERANCES
from aggflow.demo.tour import run

__all__ = [
    "DAILY",
    "DELAYS",
    "END",
    "END_TEXT",
    "MONTHS",
    "TOLERANCES",
    "WORST",
    "read_flights",
    "run",
    "write_flights",
]
