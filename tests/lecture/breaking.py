"""Breaks: each takes `monkeypatch` and spoils what a claim rests on, for the verdict to turn."""


def put(owner, name, value):
    """`owner.name` becomes `value`."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


def wrap(owner, name, make):
    """`owner.name` becomes `make(what it was)`."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, make(getattr(owner, name)))


def all_of(*breaks):
    """One break after the other."""
    return lambda monkeypatch: [one(monkeypatch) for one in breaks]
