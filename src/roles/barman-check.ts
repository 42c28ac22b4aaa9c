/**
 * Judges a file of Barman's as Barman would, with none of its other files: a server is made of it, which reaches nobody. Where Barman
 * does not understand a line it says so in its log and goes on with another value; such a file is not taken.
 *
 * Its arguments: the file, and the path that it will have.
 */
export const BARMAN_CHECK = `import logging, os, sys, tempfile

found = []

class Kept(logging.Handler):
    def emit(self, record):
        found.append(record.getMessage())

# What is of no consequence is logged below this level.
logging.getLogger().addHandler(Kept(logging.WARNING))

from barman import output
from barman.config import Config
from barman.server import Server

class Silent:
    def __getattr__(self, _):
        return lambda *_, **__: None

# What Barman says it logs as well.
output.set_output_writer(Silent())

new, path = sys.argv[1:]
with tempfile.TemporaryDirectory() as trial:
    servers = os.path.join(trial, "servers")
    os.mkdir(servers)
    os.symlink(os.path.abspath(new), os.path.join(servers, os.path.basename(path)))
    base = os.path.join(trial, "barman.conf")
    with open(base, "w") as file:
        file.write("[barman]\\nbarman_home = %s\\nconfiguration_files_directory = %s\\n" % (trial, servers))
    try:
        config = Config(base)
        config.load_configuration_files_directory()
        names = config.server_names()
        found += config.servers_msg_list
        for name in names:
            server = config.get_server(name)
            Server(server)
            found += server.msg_list
        if not names:
            found.append("expected the section of a server, found none")
    except (Exception, SystemExit) as error:
        found.append(str(error))
    real = [one.replace(os.path.join(servers, os.path.basename(path)), path) for one in found]
if real:
    sys.exit("\\n".join(dict.fromkeys(real)))
`;
