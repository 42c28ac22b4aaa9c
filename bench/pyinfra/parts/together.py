"""Order among hosts of different groups."""

from pyinfra import host
from pyinfra.api import operation


@operation()
def together():
    """Lets no host go on before all are here: pyinfra keeps the order only of operations that hosts share."""
    host.noop("all hosts are here")
    yield from ()
