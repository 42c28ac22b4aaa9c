import { quote } from "../host/shell";
import { sqlSession } from "./sql";

/** Seconds for what is read of a process by its own user, and for one question to a server. */
const READ_SECONDS = 5;
const ASK_SECONDS = 100;

/**
 * A script that finds the server on this port, whoever has installed it. Any user of the host may call a process
 * `postgres` and put what he likes into its directory. So it is a server's only if root alone can exchange its program,
 * what stands in the directory is read as the user that it runs as, and within seconds; nothing of it is run as root.
 *
 * After it `$server` is its process below /proc, empty where there is none, `$data` its directory, `$program` and `$bin`
 * where it comes from, `$user` who runs it, `$found` the ports of all servers, `$beside` a line for each
 * server on another port with its process, port and directory, `$several` how many of them say that this port is theirs, and `$passed` the processes that were not taken for one, a line each. `as USER COMMAND…` runs a command
 * as that user, and `ask DATABASE` the SQL on its standard input.
 * @param seconds for one question of `ask`.
 */
export function findServer(port: number, superuser: string, seconds = ASK_SECONDS): string {
  return `cd /
as() {
  whom=$1
  shift
  timeout -k 1 ${READ_SECONDS} setpriv --reuid="$whom" --regid="$(id -g "$whom")" --init-groups -- env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "$@"
}
# Whether root alone can change what stands at a path; Debian's group staff may install below /usr/local.
fixed() { [ -n "$(find "$1" -maxdepth 0 -uid 0 ! -perm /002 '(' ! -perm /020 -o -gid 0 -o -gid 50 ')' 2>/dev/null)" ]; }
# Whether a process runs a program of that kind. One that an upgrade has replaced has no file any more.
sound() { # PROCESS PROGRAM
  # It may end while it is looked at: then nothing that it is asked for is what it has to be.
  [ "$(stat -L -c %u "$1/exe" 2>/dev/null)" = 0 ] || return 1
  path=\${2% (deleted)}
  case $path in /*/postgres) ;; *) return 1 ;; esac
  if [ "$path" = "$2" ]; then
    # A path that leads nowhere, or into a place of the process's own, is none.
    [ "$(stat -L -c %d:%i "$1/exe")" = "$(stat -c %d:%i "$path" 2>/dev/null)" ] || return 1
  fi
  if [ -e "$path" ]; then fixed "$path" || return 1; fi
  while path=\${path%/*} && [ -n "$path" ]; do fixed "$path" || return 1; done
  fixed /
}
server= data= program= bin= user= socket= found= beside= passed= several=0 uid= owner= read= file=
newline='
'
for process in /proc/[0-9]*; do
  # It may end while it is looked at.
  [ "$(cat "$process/comm" 2>/dev/null)" = postgres ] || continue
  # The same.
  ids=$(sed -n 's/^Uid:\\t\\([1-9][0-9]*\\)\\t\\1\\t\\1\\t\\1$/\\1/p' "$process/status" 2>/dev/null) || continue
  [ -n "$ids" ] || continue
  # A container's user may have no name here, and its server is none of this host.
  if [ "$ids" != "$uid" ]; then uid=$ids owner=$(id -nu "$ids" 2>/dev/null) || owner=; fi
  # It may have ended by now.
  [ -n "$owner" ] && at=$(readlink "$process/cwd" 2>/dev/null) || continue
  # A server's own processes are called so too, and are where it is.
  if [ "$read" != "$owner $at" ]; then
    read="$owner $at"
    # Whoever has no such file there is no server.
    file=$(as "$owner" head -c 4096 -- "$at/postmaster.pid" 2>/dev/null) || file=
  fi
  [ "\${file%%"$newline"*}" = "\${process##*/}" ] || continue
  # It may have ended by now.
  runs=$(readlink "$process/exe" 2>/dev/null) || continue
  if ! sound "$process" "$runs"; then
    passed="$passed\${newline}process \${process##*/} of $owner, whose program $runs not only root can exchange"
    continue
  fi
  number=$(printf '%s\\n' "$file" | sed -n 4p)
  case $number in "" | *[!0-9]* | ??????*) continue ;; esac
  found="$found $number"
  if [ "$number" != ${port} ]; then
    beside="$beside\${newline}$process $number $at"
    continue
  fi
  several=$((several + 1))
  passed="$passed\${newline}process \${process##*/} of $owner in $at"
  server=$process data=$at program=$runs user=$owner socket=$(printf '%s\\n' "$file" | sed -n 5p)
done
[ "$several" -le 1 ] || server=
bin=\${program% (deleted)}
bin=\${bin%/*}
psql=$bin/psql
[ -x "$psql" ] || psql=/usr/bin/psql
ask() {
  timeout -k 1 ${seconds} ${sqlSession({
    user: '"$user"',
    group: '"$(id -g "$user")"',
    program: '"$psql"',
    socket: '"$socket"',
    port,
    role: quote(superuser),
    database: '"$1"',
  })}
}`;
}

/** What ends a script after `findServer` where there is not one such server. */
export function serverRequired(port: number): string {
  return `[ -n "$server" ] || { printf 'expected one server of PostgreSQL on port %s, found %s%s\\n' ${port} "$several" "$passed" >&2; exit 1; }`;
}
