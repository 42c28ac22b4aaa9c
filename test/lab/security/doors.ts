import { afterEach, describe, expect, test } from "vitest";
import type { BaseBackup } from "../../../src/facts/barman";
import type { LabCluster } from "../lab-cluster";

const DATA = "/var/lib/postgresql/17/main";
const SECRETS = "/etc/patroni/pgherd/20-secrets.yml";
const CONFIG = (user: string) => `/var/lib/pgherd/ssh-${user}/config`;

/** The keys between the backup host and the members, in the hands of somebody who has taken one of them over. */
export function doors(cluster: LabCluster): void {
  /** Runs a command as barman on the backup host; what it prints, and how it ends. */
  const asBarman = (command: string) =>
    cluster.onHost("backup1", `sudo -u barman sh -c '${command} 2>&1; echo ended with $?'`);

  /** Has rsync on the backup host ask a member. */
  const rsync = (options: string, source: string) =>
    asBarman(
      `rm -rf /tmp/doors && rsync -s -e "ssh -F ${CONFIG("barman")}" -rLKpt ${options} db1:${source} /tmp/doors`,
    );

  /** Asks a member for what rsync would not ask for. */
  const asks = (...words: string[]) =>
    asBarman(
      `printf "%s\\0" rsync ${words.join(" ")} "" | ssh -F ${CONFIG("barman")} db1 rsync --server --sender -sLtpre.iLsfxCIvu`,
    );

  test("the backup host reads a member's data directory, and deletes nothing", async () => {
    expect(await rsync("", `${DATA}/global/`)).toContain("ended with 0");
    expect(await rsync("--remove-source-files", `${DATA}/global/`)).toContain(
      "pgherd: this key is for reading only: --remove-source-files is not allowed",
    );
    expect(await cluster.onHost("db1", `sudo ls ${DATA}/global/pg_control`)).toContain(
      "pg_control",
    );
  });

  test("the backup host writes nothing on a member, and reads nothing but the data", async () => {
    expect(await asks("--log-file=/tmp/doors-log", ".", `${DATA}/`)).toContain("is not allowed");
    expect(await cluster.onHost("db1", "ls /tmp/doors-log 2>&1 || :")).toContain("No such file");
    expect(await asks(".", SECRETS, `${DATA}/`)).toContain("pgherd: expected one path");
    expect(await rsync("", SECRETS)).toContain("is not in the data directory");
    expect(await rsync("", `${DATA}/../../.ssh/`)).toContain("is not in the data directory");
    expect(await asBarman(`ssh -F ${CONFIG("barman")} db1 cat ${SECRETS}`)).toContain(
      "for reading the data directory only",
    );
    // A filter that was read would end this: what is in the file is no rule.
    expect(await rsync(`--filter=":_${SECRETS}"`, `${DATA}/global/`)).toContain("ended with 0");
  });

  test("a link in the data directory shows the backup host nothing else", async () => {
    await cluster.onHost("db1", `sudo -u postgres ln -s ${SECRETS} ${DATA}/doors`);
    try {
      expect(await rsync("", `${DATA}/`)).toContain("which is no part of the database");
      expect(await rsync("", `${DATA}/doors`)).toContain("is not in the data directory");
    } finally {
      await cluster.onHost("db1", `sudo rm ${DATA}/doors`);
    }
  });

  test("a host's key lets nobody in from another host", async () => {
    const key = await cluster.onHost("backup1", "sudo base64 -w0 /var/lib/pgherd/ssh-barman/key");
    const login = (address: string) =>
      `umask 077; base64 -d >/tmp/doors-key; ssh -i /tmp/doors-key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null postgres@${address} true 2>&1; echo ended with $?; rm /tmp/doors-key`;
    expect(await cluster.onHost("backup1", login("10.89.0.11"), key)).toContain("ended with 0");
    expect(await cluster.onHost("db2", login("10.89.0.11"), key)).toContain("Permission denied");
  });

  test("a member reads backups, and neither deletes them nor reads anything else", async () => {
    const asks = (command: string) =>
      cluster.onHost(
        "db1",
        `sudo -u postgres ssh -F ${CONFIG("postgres")} backup1 "${command}" 2>&1 | tail -n 1; :`,
      );
    for (const attempt of [
      "rm -rf /var/lib/barman/demo/base",
      "rsync --server --sender -r . /var/lib/barman",
      "backup ../../../../etc",
      "wal ../../../../etc/passwd",
      "newest 1 2",
    ]) {
      expect(await asks(attempt)).toMatch(/^pgherd: (this key is for reading|expected)/);
    }
    expect((await asks("newest")).trim()).toMatch(/^\d{8}T\d{6}$/);
  });

  describe("root is led nowhere by what postgres puts into its own directories", () => {
    const home = "/var/lib/postgresql";
    const logins = ["--refresh", "--target", "**demo-logins"];

    afterEach(async () => {
      await cluster.onHost(
        "db2",
        `sudo sh -c 'if [ -d ${home}/.ssh.own ]; then rm -f ${home}/.ssh; mv ${home}/.ssh.own ${home}/.ssh; fi; rm -rf /etc/doors'`,
      );
    });

    const target = () =>
      cluster.onHost("db2", "sudo stat -c '%U %a %s %Y' /etc/doors /etc/doors/*");

    test("a link in place of .ssh", async () => {
      await cluster.onHost(
        "db2",
        `sudo sh -c 'mkdir /etc/doors; echo root >/etc/doors/file' && sudo -u postgres sh -c 'mv ${home}/.ssh ${home}/.ssh.own; ln -s /etc/doors ${home}/.ssh'`,
      );
      const before = await target();
      expect(await cluster.refused("up", "--yes", "--skip-preview", ...logins)).toContain(
        "Operation not permitted",
      );
      expect(await target()).toBe(before);
    });

    test("a link in place of authorized_keys", async () => {
      await cluster.onHost(
        "db2",
        `sudo sh -c 'mkdir /etc/doors; echo root >/etc/doors/file' && sudo -u postgres ln -sf /etc/doors/file ${home}/.ssh/authorized_keys`,
      );
      const before = await target();
      await cluster.deploy(...logins);
      expect(await target()).toBe(before);
      expect(await cluster.onHost("db2", `sudo stat -c %F ${home}/.ssh/authorized_keys`)).toContain(
        "regular file",
      );
    });

    test("further lines in the file with the password of Patroni's API", async () => {
      const line = '    password: \\"trace-ascii = \\"/etc/doors-trace\\"';
      const edit = `sed -i "/^postgresql:/i\\\\${line}" ${SECRETS}`;
      const byPostgres = `sudo -u postgres ${edit} 2>&1 || echo kept out`;
      expect(await cluster.onHost("db2", byPostgres)).toContain("kept out");
      // Not even root itself, or whoever wrote the file before it was root's.
      await cluster.onHost("db2", `sudo cp -a ${SECRETS} /var/backups/doors.yml && sudo ${edit}`);
      try {
        expect(await cluster.pgherdRefuses("reload", "db2")).toContain(
          "expected one password of the REST API",
        );
        expect(await cluster.onHost("db2", "ls /etc/doors-trace 2>&1 || :")).toContain(
          "No such file",
        );
      } finally {
        await cluster.onHost("db2", `sudo mv /var/backups/doors.yml ${SECRETS}`);
      }
    });
  });

  test("a backup that builds on the last one is taken through these doors", async () => {
    await cluster.pgherd("backup", "now");
    const [newest] = JSON.parse(await cluster.pgherd("backup", "list", "--json")) as BaseBackup[];
    expect(newest?.status).toMatch(/DONE|WAITING_FOR_WALS/);
    expect(newest?.ownSize).toBeLessThan(newest?.size ?? 0);
  });
}
