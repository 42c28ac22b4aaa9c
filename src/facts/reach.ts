import type { Probe } from "../host/host";
import { words } from "../host/shell";

/** Where a host is to open connections. */
interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** One that cannot be reached. */
export interface ClosedPort extends Endpoint {
  /** e.g. `no answer within 3 seconds` */
  readonly found: string;
}

const SECONDS = 3;

/** What is dropped on the way is answered by nobody, or by a router. A refused connection has reached its host. */
const UNREACHABLE = /No route to host|Network is unreachable/;

/** Which of these endpoints the host cannot reach, whether or not somebody listens there. Nothing is sent. */
export function reachProbe(endpoints: readonly Endpoint[]): Probe<ClosedPort[]> {
  const paths = endpoints.map(({ address, port }) => `${address}/${port}`);
  return {
    script: `for endpoint in ${words(paths)}; do
  { said=$(timeout ${SECONDS} bash -c ": </dev/tcp/$endpoint" 2>&1) && code=0 || code=$?; echo "$code $endpoint" $said; } &
done
wait`,
    parse: (output) =>
      output.split("\n").flatMap((line) => {
        const [, code, address, port, said = ""] = /^(\d+) (\S+)\/(\d+) ?(.*)$/.exec(line) ?? [];
        const found =
          code === "124" ? `no answer within ${SECONDS} seconds` : UNREACHABLE.exec(said)?.[0];
        return address && found ? [{ address, port: Number(port), found }] : [];
      }),
  };
}
