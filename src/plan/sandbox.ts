import { render } from "./template";

/** What a unit of ours needs beyond reading the system and computing. */
interface Needs {
  /** Directories that it writes to; those of `optional` need not be there. */
  readonly writes?: readonly string[];
  readonly optional?: readonly string[];
  /** Beside Unix sockets: addresses of other hosts, and `AF_NETLINK` for questions to the kernel's network. */
  readonly network?: readonly ("AF_INET" | "AF_INET6" | "AF_NETLINK")[];
  /** What it still may as root, or is given although it is not root: `["CAP_DAC_OVERRIDE"]`. */
  readonly capabilities?: readonly string[];
  /** Whether it may make code at run time, as PostgreSQL does (jit), and languages of databases do. */
  readonly compiles?: boolean;
}

/** The lines of a unit's `[Service]` that take from it what it does not need. Figures: `systemd-analyze security`. */
export function sandbox(needs: Needs): string {
  const { writes = [], optional = [], network = [], capabilities = [], compiles = false } = needs;
  return render("systemd/sandbox", {
    writes: [...writes, ...optional.map((path) => `-${path}`)].join(" "),
    addressFamilies: ["AF_UNIX", ...network].join(" "),
    capabilities: capabilities.join(" "),
    compiles,
  }).trimEnd();
}
