"""The error tree: everything a user can mend ends in one line and exit code 2.

KneecascadeError
├── InputError          a file, folder or data set that cannot be used
│   ├── ImageError      an image that cannot be read or does not fit
│   └── DatasetError    a raw data set that breaks the format
├── PlanError           a plan.json that is broken, stale or missing
├── CheckpointError     weights that are missing, broken or of another network
├── TrainingError       a training that cannot go on (a NaN loss, no data)
│   └── OutOfTimeError  a time limit that ended before the first step
├── SettingsError       an argument that cannot be used
└── MissingExtraError   an optional package that is not installed
"""


class KneecascadeError(Exception):
    """What the user can mend; the message is one line: what, which, what to do."""


class InputError(KneecascadeError):
    """A file, folder or data set that cannot be used."""


class ImageError(InputError):
    """An image that cannot be read or does not fit."""


class DatasetError(InputError):
    """A raw data set that breaks the format."""


class PlanError(KneecascadeError):
    """A plan.json that is broken, stale or missing."""


class CheckpointError(KneecascadeError):
    """Weights that are missing, broken or of another network."""


class TrainingError(KneecascadeError):
    """A training that cannot go on."""


class OutOfTimeError(TrainingError):
    """A time limit that ended before the first step."""


class SettingsError(KneecascadeError):
    """An argument that cannot be used."""


class MissingExtraError(KneecascadeError):
    """An optional package that is not installed; the message names the extra."""
