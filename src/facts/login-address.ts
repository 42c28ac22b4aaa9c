import { isIP } from "node:net";
import type { Probe } from "../host/host";

/**
 * From where the host sees this connection come, as sshd has told the shell that became root (sshd(8), SSH_CONNECTION): behind
 * a jump host or a router it is none of the addresses here. Nothing where nobody knows.
 */
export const loginAddressProbe: Probe<string | undefined> = {
  script: `pid=$$ from=
while [ "$pid" -gt 1 ]; do
  # A process that has ended, or of another user's namespace, tells nothing.
  from=$(tr '\\0' '\\n' 2>/dev/null <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p' | head -n 1) || from=
  [ -z "$from" ] || break
  pid=$(sed -n 's/^PPid:[[:blank:]]*//p' "/proc/$pid/status")
done
printf '%s\\n' "$from"`,
  parse(output) {
    const address = (output.trim().split(" ")[0] ?? "").replace(/%.*/, "");
    return isIP(address) === 0 ? undefined : address;
  },
};
