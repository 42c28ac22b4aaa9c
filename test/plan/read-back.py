"""Reads files as their daemons do: a list of [format, text] as JSON comes in, a list of what each says goes out."""
import configparser
import json
import shlex
import sys

try:
    import yaml
except ImportError:
    yaml = None


def barman(text):
    # barman/config.py, Config: values are interpolated, and a line that is indented goes on.
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return {name: dict(parser.items(name)) for name in parser.sections()}


def patroni(text):
    # Patroni reads its files by yaml.safe_load, and parts its commands by shlex (postgresql/bootstrap.py).
    return yaml and yaml.safe_load(text)


READERS = {
    "barman": barman,
    "patroni": patroni,
    "words": lambda text: shlex.split(text, comments=True),
    "command": shlex.split,
}


def read(format, text):
    try:
        return {"says": READERS[format](text)}
    except Exception as error:
        return {"fails": f"{type(error).__name__}: {error}"}


json.dump([read(*one) for one in json.load(sys.stdin)], sys.stdout)
