import { expect, test } from "vitest";
import { type LabCluster, leaderOf } from "../lab-cluster";

/** Attempts by a member's user postgres, and by any local user, to have root write, read or run something for them. */
export function root(cluster: LabCluster): void {
  const HOST = "db2";
  const FORKS = "/var/lib/postgresql/17/forks";
  const PRECIOUS = "/etc/pgherd-precious";

  const asPostgres = (script: string, host = HOST) =>
    cluster.onHost(host, "sudo runuser -u postgres -- sh -eu", `cd /\n${script}\n`);
  const asRoot = (script: string, host = HOST) =>
    cluster.onHost(host, "sudo sh -eu", `cd /\n${script}\n`);

  /** Something of root's in files and in a folder, with all that is known of them. */
  const precious = (host = HOST) =>
    asRoot(
      `mkdir -p ${PRECIOUS}/folder; cd ${PRECIOUS}; echo precious | tee file folder/file >/dev/null; chmod 0640 file`,
      host,
    );
  const untouched = async (host = HOST) =>
    expect(
      await asRoot(
        `cd ${PRECIOUS}; find . -printf '%p %U %m\\n' | sort; cat file folder/file`,
        host,
      ),
    ).toBe(". 0 755\n./file 0 640\n./folder 0 755\n./folder/file 0 644\nprecious\nprecious\n");
  const forgotten = (host = HOST) => asRoot(`rm -rf ${PRECIOUS}`, host);

  test("links that postgres puts into its fork lead root to nothing when the host stops, changes and removes it", async () => {
    const from = leaderOf(await cluster.healthy()) === HOST ? "db3" : HOST;
    const fork = `${FORKS}/planted`;
    const unit = "pgherd-fork-planted";
    await precious(from);
    await cluster.pgherd("fork", "create", "planted", "--from", from, "--disk", "256MB");
    const link = (name: string, to: string) =>
      `rm -rf ${fork}/${name}; ln -s ${to} ${fork}/${name}`;
    // What the keeper writes when it stops a fork that takes too much: here its folder alone holds more than it may.
    await asPostgres(
      [
        link("stopped", `${PRECIOUS}/file`),
        link("looked", `${PRECIOUS}/absent`),
        `head -c 300000000 /dev/urandom >${fork}/data/much`,
      ].join("\n"),
      from,
    );
    await asRoot("systemctl start pgherd-forks.service", from);
    await untouched(from);
    await asPostgres(
      [
        `rm -f ${fork}/data/much ${fork}/stopped ${fork}/looked`,
        link("record.new", `${PRECIOUS}/file`),
        `cp ${fork}/record ${fork}/kept`,
        link("record", `${PRECIOUS}/file`),
      ].join("\n"),
      from,
    );
    await asRoot("systemctl start pgherd-forks.service", from);
    await cluster.pgherd("fork", "list").catch(() => "");
    await untouched(from);
    // The folder itself exchanged while the host removes the fork.
    await asPostgres(`mv ${fork} ${fork}.old; ln -s ${PRECIOUS}/folder ${fork}`, from);
    await asRoot("sh /var/lib/pgherd/forks-keeper remove planted || :", from);
    await untouched(from);
    await asPostgres(`rm -rf ${fork} ${fork}.old`, from);
    await cluster.pgherd("fork", "drop", "planted").catch(() => "");
    expect(await asRoot(`systemctl is-active ${unit} || :`, from)).toMatch(/^(inactive|failed)$/m);
    await forgotten(from);
  });

  test("links in a member's data lead root to nothing when a fork of it is made", async () => {
    const from = leaderOf(await cluster.healthy()) === HOST ? "db3" : HOST;
    const data = "/var/lib/postgresql/17/main";
    await precious(from);
    // PostgreSQL empties pg_snapshots when it starts, and uses postgresql.auto.conf only then.
    await asPostgres(
      `cd ${data}; mv pg_snapshots pg_snapshots.kept; ln -s ${PRECIOUS}/folder pg_snapshots
mkdir -p ${FORKS}; chmod 0700 ${FORKS}`,
      from,
    );
    try {
      await cluster.pgherd("fork", "create", "linked", "--from", from).catch(() => "");
      await untouched(from);
    } finally {
      await asPostgres(`cd ${data}; rm pg_snapshots; mv pg_snapshots.kept pg_snapshots`, from);
      await cluster.pgherd("fork", "drop", "linked");
      await forgotten(from);
    }
  });

  test("postgres can neither change nor exchange what root reads of a member's configuration", async () => {
    const found = await asRoot("find /etc/patroni/pgherd -printf '%p %u %g %m\\n' | sort");
    for (const line of found.trim().split("\n")) expect(line).toMatch(/ root postgres (750|640)$/);
    const attempt = asPostgres("echo '    password: x' >>/etc/patroni/pgherd/20-secrets.yml");
    await expect(attempt).rejects.toThrow(/Permission denied|cannot create/);
    await expect(asPostgres("mv /etc/patroni/pgherd/10-member.yml /tmp/")).rejects.toThrow();
    // Patroni itself reads them as before.
    await cluster.healthy();
  });

  test("a member's Patroni that starts moves and reads nothing of root's by postgres's links", async () => {
    const host = leaderOf(await cluster.healthy()) === HOST ? "db3" : HOST;
    await precious(host);
    await asRoot("systemctl stop patroni", host);
    const pid = "/var/lib/postgresql/17/main/postmaster.pid";
    // Whoever opened it as root would wait for somebody to write into it.
    await asPostgres(`mkfifo ${pid}`, host);
    await asRoot("touch /var/lib/pgherd/database-begun", host);
    await asPostgres(
      "cd /var/lib/postgresql; mv 17 17.kept; mkdir 17; cp -rs /dev/null 17/x; ln -s /etc/pgherd-precious 17/main; chmod 0700 17",
      host,
    );
    try {
      await asRoot("timeout 60 sh /var/lib/pgherd/before-patroni || :", host);
      await untouched(host);
    } finally {
      await asPostgres(`cd /var/lib/postgresql; rm -rf 17; mv 17.kept 17; rm -f ${pid}`, host);
      await asRoot("rm -f /var/lib/pgherd/database-begun; systemctl start patroni", host);
      await cluster.healthy();
      await forgotten(host);
    }
  });

  test("links in postgres's home lead an update to nothing of root's", async () => {
    await precious();
    await asPostgres(
      `cd ~postgres; rm -rf .ssh.kept; mv .ssh .ssh.kept; ln -s ${PRECIOUS}/folder .ssh`,
    );
    try {
      await cluster.deploy("--refresh").catch(() => "");
      await untouched();
    } finally {
      await asPostgres("cd ~postgres; rm -rf .ssh; mv .ssh.kept .ssh");
      await cluster.deploy("--refresh");
      await forgotten();
    }
  });
}
