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
 * Commands for HAProxy's administration socket (management guide, 9.3). It answers a command that worked with nothing.
 * Perl is essential in Debian, and has Unix sockets in its base.
 */
function administer(commands: readonly string[]): string {
  const perl =
    'my $s = IO::Socket::UNIX->new(Peer => "/run/haproxy/admin.sock") or die "/run/haproxy/admin.sock: $!\\n"; ' +
    'print $s join(";", @ARGV), "\\n"; my $said = join("", <$s>); $said =~ s/^\\s+|\\s+$//g; die "$said\\n" if $said ne "";';
  return `perl -MIO::Socket::UNIX -e ${words([perl])} -- ${words(commands)}`;
}
