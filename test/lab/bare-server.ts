import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root";
import type { LabCluster } from "./lab-cluster";

/** What of its settings stays as it runs, on every member, and the rows that it has had. */
export const KEPT = "shared_buffers 256MB, fsync off, full_page_writes off, rows 1000";

/** The server of bare.sh on db1, port 5432. */
export class BareServer {
  constructor(private readonly lab: LabCluster) {}

  /** Blank hosts, and on the first of them that server. */
  async boot(): Promise<void> {
    await this.lab.boot({ topology: "standard", distro: "trixie" });
    const script = readFileSync(join(packageRoot(), "test/lab/bare.sh"), "utf8");
    await this.lab.onHost("db1", "cat >bare.sh; sudo sh bare.sh", script);
  }

  /** Settings and rows of a member, in the words of `KEPT`. */
  likeness(host: string): Promise<string> {
    return this.lab.superuserSql(
      host,
      `select concat('shared_buffers ', current_setting('shared_buffers'), ', fsync ', current_setting('fsync'),
        ', full_page_writes ', current_setting('full_page_writes'), ', rows ', (select count(*) from kept))`,
    );
  }

  /** How it serves replicas: `minimal, 0`. */
  replication(): Promise<string> {
    return this.lab.superuserSql(
      "db1",
      "select concat_ws(', ', current_setting('wal_level'), current_setting('max_wal_senders'))",
    );
  }

  /** Its files, and where its data is. */
  files(): Promise<string> {
    return this.lab.onHost(
      "db1",
      "sudo sh -c 'cat /etc/postgresql/17/main/*.conf /srv/pg/main/postgresql.auto.conf; readlink /srv/pg/main'",
    );
  }
}
