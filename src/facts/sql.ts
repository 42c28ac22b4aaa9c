import { ANY_HOST, forMajor } from "../distributions/distributions";
import { quote } from "../host/shell";
import { NEWER_OPTIONS, SUPERUSER_OPTIONS } from "../session-settings";

/** A session of psql; each part is one word of the shell. */
interface SqlSession {
  /** User of the operating system as whom psql runs, and as whom the server must run. */
  readonly user: string;
  /** Of that user. */
  readonly group: string;
  /** Path of psql. */
  readonly program: string;
  /** Folder of the server's socket. */
  readonly socket: string;
  readonly port: number;
  /** Superuser of the database. @default of the same name as `user` */
  readonly role?: string;
  readonly database: string;
}

/** A server that stands still (a dying disk, SIGSTOP) takes connections and says nothing; one that is busy answers in time. */
const CONNECT_SECONDS = 20;

/**
 * A command that runs the SQL on its standard input as a superuser; all that pgherd asks a server goes by it. Nothing of
 * the host's environment, of the role's or the database's settings counts in it (src/session-settings.ts), and only a
 * server of that user is asked. The database stands in the environment, where it is a name whatever it holds: `-d` takes
 * one with `=` in it for a connection string (libpq, "dbname").
 */
export function sqlSession(session: SqlSession): string {
  const { user, group, program, socket, port, role, database } = session;
  const environment = [
    "PATH=/usr/bin:/bin",
    "LC_ALL=C.UTF-8",
    `PGREQUIREPEER=${user}`,
    `PGCONNECT_TIMEOUT=${CONNECT_SECONDS}`,
    `PGDATABASE=${database}`,
    `PGOPTIONS=${quote(SUPERUSER_OPTIONS)}`,
  ];
  return (
    `setpriv --reuid=${user} --regid=${group} --init-groups -- env -i ${environment.join(" ")} ` +
    `sh -c ${quote(SESSION)} sh ${socket} ${port} ${program} -XAtqw -v ON_ERROR_STOP=1 -h ${socket} -p ${port}${role === undefined ? "" : ` -U ${role}`}`
  );
}

/** Runs psql, of whose server it knows the folder of the socket and the port. */
const SESSION = `socket=$1 port=$2
shift 2
${NEWER_OPTIONS}
exec "$@"`;

/** A session as the user postgres. */
export function postgresSession(socket: string, port: number, database: string): string {
  const program = `"$(set -- ${forMajor(ANY_HOST.paths.programs, "*")}/psql; [ -x "$1" ] && echo "$1" || echo psql)"`;
  return sqlSession({
    ...{ user: "postgres", group: "postgres", program, socket, port },
    database: quote(database),
  });
}

/**
 * A session with a server that is pgherd's own and holds nothing of anybody's. @param shielded from what the server's files say of
 * sessions; without, it is as a client begins one, libraries included.
 */
export function ownSession(
  session: Pick<SqlSession, "program" | "socket" | "port" | "role" | "database">,
  { shielded = false } = {},
): string {
  const { program, socket, port, role, database } = session;
  return `env -i PATH=/usr/bin:/bin LC_ALL=C PGDATABASE=${database} ${shielded ? `PGOPTIONS=${quote(SUPERUSER_OPTIONS)} ` : ""}${program} -XAtqw -v ON_ERROR_STOP=1 -h ${socket} -p ${port} -U ${role}`;
}

/** A name of something in a database, whatever is in it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a string of SQL; with `standard_conforming_strings` on, a backslash means nothing in it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
