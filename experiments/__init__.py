"""The laboratory: every claim about RNN, LSTM and GRU as a declared experiment.

    tasks.py         what the nets have to do: data, split, measure
    jobs.py          the tasks of part V, where nets are at work
    sound.py         from a sound to the frames that a net hears; sounds.py: sound files from elsewhere
    speech.py        spoken digits by voice, and streams of them
    baselines.py     what is reached without recurrence
    training.py      one model and the training loop, for every experiment
    readings.py      what is read off a trained net beside its test measure
    yardstick.py     what a difference is called: better, worse, equivalent, undecided
    designs.py       where models are compared, how they are tuned, which runs come next
    claims.py        the claims on trial: question, experiment, measure, and the rule for the verdict
    registration.py  the digests of all of the above, which every result carries, and what was closed
    people.py        what people reach on the reviews
    validation.py    the yardstick held against known differences
    costs.py         time, memory and streaming of the library's layers
    runner.py        runs what is missing, on all cores, and keeps every result
    results.py       the results and the findings
    show.py          what the pages quote and draw
    models.py        the trained nets that part V ships, in 8-bit integers (quantized.py) or as they are
    device/          a net on its way to a small device: ONNX, 8-bit integers, C
    live.py          the figures of the pages in which these nets run; live_listen.py: the one that listens

`python -m experiments` (or `make experiments`) runs everything that has no result yet.
"""
