"""Pure words and decisions of Seatrial: no I/O, no event loop, no library of the outside world."""
