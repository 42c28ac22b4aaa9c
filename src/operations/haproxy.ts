import { words } from "../host/shell";

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

/**
 * Commands for HAProxy's administration socket (management guide, 9.3). It answers a command that worked with nothing.
 * Perl is essential in Debian, and has Unix sockets in its base.
 */
function administer(commands: readonly string[]): string {
  const perl =
    'my $s = IO::Socket::UNIX->new(Peer => "/run/haproxy/admin.sock") or die "/run/haproxy/admin.sock: $!\\n"; ' +
    'print $s join(";", @ARGV), "\\n"; my $said = join("", <$s>); $said =~ s/^\\s+|\\s+$//g; die "$said\\n" if $said ne "";';
  return `perl -MIO::Socket::UNIX -e ${words([perl])} -- ${words(commands)}`;
}
