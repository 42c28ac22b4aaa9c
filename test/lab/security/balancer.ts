import { expect, test } from "vitest";
import { leaderOf, type LabCluster } from "../lab-cluster";

/** Attempts by the OS users of a load balancer's daemons: haproxy, and nobody, as whom Keepalived runs its check. */
export function balancer(cluster: LabCluster): void {
  const HOST = "lb1";
  const SOCKET = "/run/haproxy-admin.sock";
  const USERS = ["haproxy", "nobody"];

  const as = (user: string, script: string) =>
    cluster.onHost(HOST, `sudo runuser -u ${user} -- sh`, `cd /\n${script}\n:\n`);
  const asRoot = (script: string) => cluster.onHost(HOST, "sudo sh -eu", `${script}\n`);

  const FILES = [
    "/etc/haproxy/haproxy.cfg",
    "/etc/haproxy/pgherd-users.cfg",
    "/etc/systemd/system/haproxy.service.d/pgherd.conf",
    "/etc/keepalived/keepalived.conf",
    "/etc/keepalived/check-haproxy",
    "/etc/keepalived/secret.conf",
  ];
  const SECRETS = ["/etc/haproxy/pgherd-users.cfg", "/etc/keepalived/secret.conf"];

  test.each(USERS)("%s of a balancer changes nothing of what its daemons read", async (user) => {
    const sums = () =>
      asRoot(`sha256sum ${FILES.join(" ")}; stat -c '%U %a %n' ${FILES.join(" ")}`);
    const before = await sums();
    const attempts = FILES.flatMap((file) => [
      `echo evil >>${file} && echo written ${file}`,
      `touch ${file}.new && echo made ${file}.new`,
      `mv -f /etc/hostname ${file} && echo exchanged ${file}`,
      `rm -f ${file} && echo removed ${file}`,
    ]);
    expect(await as(user, attempts.map((one) => `{ ${one}; } 2>/dev/null`).join("\n"))).toBe("");
    expect(await sums()).toBe(before);
  });

  test.each(USERS)("%s of a balancer reads no password", async (user) => {
    const read = SECRETS.map((file) => `cat ${file} 2>/dev/null`).join("\n");
    expect(await as(user, read)).toBe("");
    // They are there, and whoever may reads them.
    expect(await asRoot(`cat ${SECRETS.join(" ")}`)).toMatch(/insecure-password[\s\S]*auth_pass/);
  });

  test.each(USERS)("%s of a balancer tells HAProxy nothing on its sockets", async (user) => {
    const connect = [SOCKET, "/run/haproxy-master.sock"].map(
      (path) =>
        `perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new(Peer => "${path}") ? "in" : "$!\\n"'`,
    );
    expect(await as(user, connect.join("\n"))).toBe("Permission denied\nPermission denied\n");
  });

  test("a socket that haproxy puts in the place of HAProxy's is never asked", async () => {
    const heard = "/run/haproxy/heard";
    const impostor = `use IO::Socket::UNIX; unlink "/run/haproxy/admin.sock"; my $l = IO::Socket::UNIX->new(Local => "/run/haproxy/admin.sock", Listen => 5) or die; while (my $c = $l->accept) { open(my $f, ">>", "${heard}"); print $f scalar <$c>; close $f; print $c "x" x 1e6 }`;
    const exchanged = [
      `rm -f ${SOCKET} && echo removed`,
      `ln -sfn /run/haproxy/admin.sock ${SOCKET} && echo linked`,
    ];
    expect(await as("haproxy", exchanged.map((one) => `{ ${one}; } 2>/dev/null`).join("\n"))).toBe(
      "",
    );
    await asRoot(
      `systemd-run -q --collect --unit=pgherd-impostor --uid=haproxy perl -e '${impostor}'\nuntil [ -S /run/haproxy/admin.sock ]; do sleep 0.1; done`,
    );
    try {
      const seen = await cluster.healthy();
      const replica = seen.members.find(({ name }) => name !== leaderOf(seen))?.name ?? "";
      await cluster.pgherd("restart", replica, "--yes");
      await cluster.healthy();
      expect(await asRoot(`[ ! -e ${heard} ] || cat ${heard}`)).toBe("");
      expect(await asRoot(`stat -c '%U %a %F' ${SOCKET}`)).toBe("root 600 socket\n");
    } finally {
      await asRoot(`systemctl stop pgherd-impostor; rm -f ${heard} /run/haproxy/admin.sock`);
    }
  });

  test("Keepalived runs its check as a user without rights, and finds nothing insecure about it", async () => {
    expect(
      await asRoot("journalctl -b -u keepalived -o cat | grep -ci 'security violation' || :"),
    ).toBe("0\n");
    const users = await asRoot(
      "for i in $(seq 200); do ps -C check-haproxy -o user=; sleep 0.02; done | sort -u; grep -c enable_script_security /etc/keepalived/keepalived.conf",
    );
    expect(users.replace("nobody\n", "")).toBe("1\n");
  });
}
