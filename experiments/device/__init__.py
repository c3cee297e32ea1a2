"""A trained net on its way to a small device: the same step by several tools, and what each costs.

    exported.py  the net as ONNX files, one step or a sequence, with its state as input and output
    compiled.py  the step in C99 (gru_step.c, lstm_step.c), compiled where there is a compiler
    measured.py  every way to compute a step: bytes, errors on a stream, deviation, time

`python -m experiments device` measures and writes `book/data/work/device.json`.
"""
