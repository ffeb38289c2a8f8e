"""Cards of every sort and the rows behind them, for the gallery and the tests: none is random."""
