import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root";
import { until, type LabCluster } from "./lab-cluster";
import { PASSWORD } from "./shop";

/** Everything of pg_hba.conf, as the server understands it. */
const RULES = `select string_agg(concat_ws(' ', type, database, user_name, address, netmask, auth_method, options), E'\\n'
  order by rule_number) from pg_hba_file_rules`;

/** What a client or a DBA could tell two servers apart by. */
const LIKENESS = `select 'setting', name, setting from pg_settings
    where name in ('shared_buffers', 'work_mem', 'random_page_cost', 'fsync', 'log_directory', 'unix_socket_group',
      'log_line_prefix', 'archive_command', 'synchronous_commit', 'password_encryption', 'max_connections', 'wal_level',
      'max_prepared_transactions', 'wal_segment_size') or name like 'lc\\_%'
  union all select 'motto', '', current_setting('shop.motto')
  union all select 'role', rolname, concat(rolsuper, rolcanlogin, rolconfig) from pg_roles
    where rolname !~ '^pg_' and rolname not in ('replicator', 'rewinder')
  union all select 'database', datname, concat_ws(',', datcollate, datctype, datlocale, datallowconn, datconnlimit,
    pg_get_userbyid(datdba)) from pg_database
  union all select 'of a database', setdatabase::regclass::text, setconfig::text from pg_db_role_setting
  union all select 'tablespace', spcname, pg_tablespace_location(oid) from pg_tablespace
  order by 1, 2, 3`;

/** The server of odd.sh on db1, port 5433, whose superuser is `chief`, and what becomes of it. */
export class OddServer {
  constructor(private readonly lab: LabCluster) {}

  /** Blank hosts, and on the first of them that server. */
  async boot(): Promise<void> {
    await this.lab.boot({ topology: "standard", distro: "trixie" });
    await this.run("db1", "odd.sh", PASSWORD);
  }

  /** Does what the preview has told to do, on the hosts that get copies. */
  async prepareCopies(): Promise<void> {
    for (const host of ["db2", "db3"]) await this.run(host, "odd-copies.sh");
    await this.ask("db1", "rollback prepared 'half'", { database: "shop" });
  }

  /** Somebody ends what he has left open. */
  async endTransaction(): Promise<void> {
    await this.lab.onHost("db1", "sudo systemctl stop clerk");
  }

  async likeness(host: string, options: Session = {}): Promise<string> {
    return await this.ask(host, LIKENESS, options);
  }

  async rules(host: string, options: Session = {}): Promise<string> {
    return (await this.ask(host, RULES, options)).trim();
  }

  /** Runs SQL as a superuser, by the socket. */
  ask(host: string, sql: string, session: Session = {}): Promise<string> {
    const { role = "chief", port = 5433, database = "postgres" } = session;
    return this.lab.onHost(
      host,
      `cd / && sudo -u postgres psql -qXAt -v ON_ERROR_STOP=1 -p ${port} -U ${role} -d ${database}`,
      `${sql};\n`,
    );
  }

  /** Whom the entry point lets in where. */
  letsIn(user: string, database: string): Promise<boolean> {
    const psql = `PGPASSWORD=${PASSWORD} psql -h 10.89.0.100 -p 5000 -U '${user}' -d '${database}' -Atc 'select 1'`;
    return this.lab
      .onHost("db3", psql)
      .then(() => true)
      .catch(() => false);
  }

  /** Waits until the other application's subscription and the standby have what is written now. */
  async othersCatchUp(): Promise<void> {
    const id = Date.now();
    await this.ask("db1", `insert into orders values (${id})`, { database: "shop" });
    const seen = `select count(*) from orders where id = ${id}`;
    for (const [port, database, role] of [
      [5432, "postgres", "postgres"],
      [5434, "shop", "chief"],
    ] as const) {
      await until(`the row on port ${port}`, 60, async () =>
        (await this.ask("db1", seen, { port, database, role })).trim() === "1" ? true : undefined,
      );
    }
  }

  private async run(host: string, script: string, ...args: string[]): Promise<void> {
    const text = readFileSync(join(packageRoot(), "test/lab", script), "utf8");
    await this.lab.onHost(host, `cat >${script}; sudo sh ${script} ${args.join(" ")}`, text);
  }
}

/** Which session asks; without a word the old server's superuser. */
interface Session {
  readonly role?: string;
  readonly port?: number;
  readonly database?: string;
}
