import { secondsOf } from "../config/duration";
import type { Settings } from "../config/schema";
import { bytesOf, megabytes } from "../config/size";
import type { ForkInputs } from "../resources/inputs/fork";
import { dataDirectory, forksDirectory, programsDirectory } from "../roles/patroni";
import { sourcesOf } from "./firewall";
import { clientNetworks, FORK_MARK } from "./flows";
import { planPatroni } from "./patroni";
import { ROLES } from "./database-roles";
import { sandbox } from "./sandbox";
import { render } from "./template";
import type { ForkPlan } from "./types";

/** Free bytes of the disk at which the host stops its forks, so that the member goes on. */
const RESERVE = 2 ** 30;

const LEAST_WAL = 128 * 2 ** 20;

/** The host's own tool for its forks: run by a timer, and by pgherd to remove one. */
export const FORKS_TOOL = "/var/lib/pgherd/forks-keeper";

/** What a user says of a fork, in a stack or on the command line. */
interface ForkWish {
  readonly name: string;
  /** `replica` or a member's name. */
  readonly from: string;
  readonly port: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes. */
  readonly disk: number;
  /** Seconds; 0 for one that stays. */
  readonly ttl: number;
}

/** The folder of a host's forks. */
export function forksFolder(settings: Settings): string {
  return forksDirectory(settings.cluster);
}

/** The forks that a stack declares. */
export function planForks(settings: Settings): ForkPlan[] {
  return settings.cluster.forks.map(({ memory, disk, ttl, ...fork }) =>
    planFork(settings, {
      ...fork,
      memory: bytesOf(memory),
      disk: bytesOf(disk),
      ttl: ttl === undefined ? 0 : secondsOf(ttl),
    }),
  );
}

/** One fork, whichever member it will be made from. */
export function planFork(settings: Settings, wish: ForkWish): ForkPlan {
  const { cluster } = settings;
  const { version, port } = cluster.postgresql;
  return {
    ...wish,
    members: planPatroni(settings).members,
    source: { dataDirectory: dataDirectory(cluster), version, port },
    folder: `${forksFolder(settings)}/${wish.name}`,
    keeper: FORKS_TOOL,
    files: { ...ownFiles(settings, wish), ...keeperFiles(settings) },
    running: "active",
  };
}

/** The file that a fork gets last: until then nobody but the host's superuser comes in. */
function accessFile(folder: string): string {
  return `${folder}/pg_hba.conf`;
}

/** Not in the fork's folder, which is postgres's: root loads it. */
function firewallFile(name: string): string {
  return `/var/lib/pgherd/fork-${name}.nft`;
}

function ownFiles(settings: Settings, wish: ForkWish): ForkInputs["files"] {
  const { cluster } = settings;
  const { name, memory, disk, port } = wish;
  const folder = `${forksFolder(settings)}/${name}`;
  const clients = clientNetworks(settings);
  const firewall = cluster.firewall !== false && clients.length > 0;
  const ofPostgres = (content: string) => file(content, "0600", "postgres");
  return {
    [`/etc/systemd/system/pgherd-fork-${name}.service`]: file(
      render("fork/unit.service", {
        name,
        cluster: cluster.name,
        folder,
        firewall: firewall && firewallFile(name),
        memory,
        binDirectory: programsDirectory(cluster),
        // PostgreSQL asks the kernel for the networks of its own that "samenet" means.
        sandbox: sandbox({
          writes: [folder],
          network: ["AF_INET", "AF_INET6", "AF_NETLINK"],
          compiles: true,
        }),
      }),
    ),
    [`${folder}/postgresql.conf`]: ofPostgres(
      render("fork/postgresql.conf", {
        name,
        folder,
        port,
        listen: "*",
        // Before PostgreSQL 18 max_replication_slots is the number of these too.
        originSetting: cluster.postgresql.version >= 18,
        sharedBuffers: megabytes(memory / 4),
        cache: megabytes((memory * 3) / 4),
        maintenance: megabytes(memory / 16),
        // PostgreSQL does with no less than two segments, and badly with so few.
        wal: megabytes(Math.max(disk / 8, LEAST_WAL)),
        temporary: megabytes(disk / 2),
      }),
    ),
    [accessFile(folder)]: ofPostgres(
      render("fork/pg_hba.conf", {
        roles: ROLES,
        networks: ["127.0.0.1/32", "::1/128", ...(clients.length > 0 ? clients : ["samenet"])],
      }),
    ),
    ...(firewall
      ? {
          [firewallFile(name)]: file(
            render("fork/firewall.nft", {
              name,
              port,
              mark: FORK_MARK,
              clients: sourcesOf(clients).map(({ match }) => match),
            }),
            "0600",
          ),
        }
      : {}),
  };
}

/** What all forks of a host share. */
function keeperFiles(settings: Settings): ForkInputs["files"] {
  const forks = forksFolder(settings);
  const values = {
    ...{ keeper: FORKS_TOOL, forks, reserve: RESERVE },
    // It looks through and removes what is postgres's, and a fork's unit and rules with it.
    sandbox: sandbox({
      writes: ["/etc/systemd/system", "/var/lib/pgherd"],
      optional: [forks],
      capabilities: ["CAP_DAC_OVERRIDE", "CAP_SETGID", "CAP_SETUID"],
    }),
  };
  return {
    [FORKS_TOOL]: file(render("fork/keeper.sh", values)),
    "/etc/systemd/system/pgherd-forks.service": file(render("fork/keeper.service", values)),
    "/etc/systemd/system/pgherd-forks.timer": file(render("fork/keeper.timer", values)),
  };
}

function file(content: string, mode = "0644", owner = "root"): ForkInputs["files"][string] {
  return { content, mode, owner, group: owner };
}
