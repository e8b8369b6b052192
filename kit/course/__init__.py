"""The course: labs as folders of sources, derived into notebooks, proven by their traps, worked through in a folder of the learner's.

labs/course.toml + labs/src/NN_name/{cells.py, lab.toml, checks.py}
    source (parse) ──► build (exercise and solution notebooks, en and zh) ──► folder (the learner's copies)
    catalog (lessons) ──► session (one lab on one cluster: setup, checks, hints, predictions, quiz, faults) ──► verify
"""
