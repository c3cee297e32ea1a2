"""The laboratory: every claim about RNN, LSTM and GRU as a declared experiment.

    tasks.py      what the nets have to do: data, split, measure, a baseline without recurrence
    training.py   one model and the training loop, for every experiment
    costs.py      time, memory and streaming of the library's layers
    designs.py    the experiments: which runs there are (models, rates, seeds, sizes)
    claims.py     the twenty claims: question, experiment, measure, and the rule for the verdict
    runner.py     runs what is missing, on all cores, and keeps every result
    results.py    the results as tables, and what the pages quote

`python -m experiments` (or `make experiments`) runs everything that has no result yet.
"""
