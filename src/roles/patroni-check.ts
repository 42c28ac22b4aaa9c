/**
 * Judges a file of Patroni's as Patroni would: by the schema of the version that is installed, together with the other files of
 * the folder. `patroni --validate-config` is of no use for that: it calls what runs already a fault (its own port is in use) and
 * asks whether others answer at this moment.
 *
 * Its arguments: the file, and the path that it will have; then the same of those that are written with it.
 */
export const PATRONI_CHECK = `import os, sys

try:
    import yaml
    from patroni import validator
    from patroni.utils import patch_config
    schema = validator.schema
except AttributeError:
    # A version that judges otherwise; whether it takes the file shows when it loads it.
    sys.exit(0)

def form_of_an_address(host_port, listen=False, multiple_hosts=False):
    try:
        split_host_port(host_port, 1)
    except (ValueError, TypeError):
        raise ConfigParseError("contains a wrong value")

def any_directory(data_dir):
    pass

# Who listens, answers or has data at this moment says nothing of a file. The schema holds these functions themselves.
validator.validate_host_port.__code__ = form_of_an_address.__code__
validator.validate_data_dir.__code__ = any_directory.__code__

# The schema asks for them, Patroni does not: they stand in the DCS, or have defaults (3.0 to 4.1).
ELSEWHERE = ("bootstrap.dcs", "bootstrap.pg_hba", "bootstrap.initdb")

new, path = sys.argv[1:3]
folder = os.path.dirname(path)
# What is written together with it counts, not what that takes the place of.
written = dict(zip(sys.argv[2::2], sys.argv[1::2]))
others = [os.path.join(folder, name) for name in os.listdir(folder)] + list(written)
configuration, own, wrong = {}, {}, []
for one in sorted(name for name in set(others) if name.endswith((".yml", ".yaml"))):
    try:
        with open(written.get(one, one)) as file:
            part = yaml.safe_load(file)
    except Exception as error:
        # That of another file is nothing that this one could mend.
        if one == path:
            sys.exit(str(error).replace(new, path))
        continue
    if isinstance(part, dict):
        patch_config(configuration, part)
        if one == path:
            own = part
    elif one == path:
        sys.exit("expected keys and values, found %s" % type(part).__name__)

def stands_in(tree, keys):
    for key in keys:
        if isinstance(tree, list):
            tree = dict(enumerate(tree))
            key = int(key)
        if not isinstance(tree, dict) or key not in tree:
            return False
        tree = tree[key]
    return True

for result in schema.validate(configuration):
    keys = result.path.split(".") if result.path else []
    # What is wrong in another file this one did not make wrong.
    others_fault = stands_in(configuration, keys) and not stands_in(own, keys)
    if result.status or result.path in ELSEWHERE or others_fault:
        continue
    # A password is shown to nobody.
    secret = any(word in key for word in ("password", "token") for key in keys[-1:])
    shown = isinstance(result.data, (str, int, float)) and not secret
    found = " (found %r)" % (result.data,) if shown and result.data != "" else ""
    wrong.append("%s: %s%s" % (result.path or "at the top", result.error, found))
if wrong:
    sys.exit("\\n".join(wrong))
`;
