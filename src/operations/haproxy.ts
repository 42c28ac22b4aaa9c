import { words } from "../host/shell";

/** In a directory that root alone can change, and only root may connect to it. */
const ADMIN_SOCKET = "/run/haproxy-admin.sock";

/** Where it was before; gone after the first run of this version. */
const FORMER_SOCKET = "/run/haproxy/admin.sock";

/** How long HAProxy may take to answer, and how much of it is read. */
const ANSWER_SECONDS = 10;
const ANSWER_BYTES = 4096;

/** Sends new sessions elsewhere; those that are open go on. @param servers `["replica/db2"]` */
export function drainServers(servers: readonly string[]): string {
  return administer(servers.map((server) => `set server ${server} state drain`));
}

/** Takes servers back in, as soon as their checks succeed. @param servers `["replica/db2"]` */
export function readyServers(servers: readonly string[]): string {
  return administer(servers.map((server) => `set server ${server} state ready`));
}

/**
 * Says who takes writes from now on, a moment before HAProxy's own checks would find it. What is wrong about it they put
 * right with their next round (management guide, 9.3, "set server … health").
 */
export function leadWritesTo(member: string, before: string): string {
  return administer([
    `set server primary/${member} health up`,
    `set server primary/${before} health down`,
  ]);
}

/** Where the commands stand that end a freeze, and the timer that runs them. */
const THAW_FILE = "/run/pgherd/thaw-checks";
const THAW_UNIT = "pgherd-thaw-checks";

/**
 * Has HAProxy go on with what it knows of these servers, whatever their checks would find. It ends by itself: a run that is cut
 * off would leave balancers that see no failover. @param seconds until then
 */
export function freezeChecks(servers: readonly string[], seconds: number): string {
  return [
    `mkdir -p /run/pgherd`,
    `printf '%s\\n' ${words([checks("enable", servers)])} >${THAW_FILE}`,
    endTimer(),
    `systemd-run -q --collect --unit=${THAW_UNIT} --on-active=${seconds} --timer-property=AccuracySec=1s /bin/sh ${THAW_FILE}`,
    checks("disable", servers),
  ].join("\n");
}

/** Ends it: the next checks tell what is so. */
export function thawChecks(servers: readonly string[]): string {
  return [checks("enable", servers), endTimer(), `rm -f ${THAW_FILE}`].join("\n");
}

function endTimer(): string {
  // Mostly there is none.
  return `systemctl stop ${THAW_UNIT}.timer 2>/dev/null || :`;
}

function checks(word: "enable" | "disable", servers: readonly string[]): string {
  return administer(servers.map((server) => `${word} health ${server}`));
}

/**
 * Commands for HAProxy's administration socket (management guide, 9.3). It answers a command that worked with nothing.
 * Perl is essential in Debian, and has Unix sockets in its base.
 *
 * Who answers is a process of the user haproxy: it has some seconds and some room for it, and what it says is shown as
 * one line of plain text.
 */
function administer(commands: readonly string[]): string {
  const perl = [
    `my ($at) = ((grep { -S $_ } "${ADMIN_SOCKET}", "${FORMER_SOCKET}"), "${ADMIN_SOCKET}");`,
    `local $SIG{ALRM} = sub { die "$at: expected HAProxy to answer within ${ANSWER_SECONDS} seconds, it did not\\n" };`,
    `alarm ${ANSWER_SECONDS};`,
    'my $s = IO::Socket::UNIX->new(Peer => $at) or die "$at: $!\\n";',
    'print $s join(";", @ARGV), "\\n"; $s->flush;',
    `my $said = ""; while (length($said) < ${ANSWER_BYTES}) { sysread($s, $said, ${ANSWER_BYTES}, length($said)) or last }`,
    '$said =~ s/[^\\x20-\\x7e]+/ /g; $said =~ s/^ +| +$//g; die "$said\\n" if $said ne "";',
  ].join(" ");
  return `perl -MIO::Socket::UNIX -e ${words([perl])} -- ${words(commands)}`;
}
