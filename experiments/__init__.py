"""The laboratory: every claim about RNN, LSTM and GRU as a declared experiment.

    tasks.py         what the nets have to do: data, split, measure
    baselines.py     what is reached without recurrence
    training.py      one model and the training loop, for every experiment
    yardstick.py     what a difference is called: better, worse, equivalent, undecided
    designs.py       where models are compared, how they are tuned, which runs come next
    claims.py        the claims on trial: question, experiment, measure, and the rule for the verdict
    registration.py  the digests of all of the above, which every result carries
    validation.py    the yardstick held against known differences
    costs.py         time, memory and streaming of the library's layers
    runner.py        runs what is missing, on all cores, and keeps every result
    results.py       the results and the findings
    show.py          what the pages quote and draw

`python -m experiments` (or `make experiments`) runs everything that has no result yet.
"""
