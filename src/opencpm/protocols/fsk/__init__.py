"""Short messages over a telephone line: the V.23 modem and the data link layers of ETSI ES 201 912, without I/O.

Samples in and out (16 bit, 8000 a second), events out; time is counted in samples. Bottom to top: :mod:`tones`,
:mod:`modulator` and :mod:`demodulator` (one burst), :mod:`receiver` (carrier detection, bursts as they come),
:mod:`frames1` and :mod:`frames2` (the two protocols), :mod:`call` (one telephone call).
"""
