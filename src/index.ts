import { Cluster, type ClusterArgs } from "./components/cluster";
import { loadSettings } from "./config/load";

const { name, settings, secrets } = loadSettings();
const cluster = new Cluster(name, { ...(settings as unknown as ClusterArgs), ...secrets });

/** What clients need to connect; the passwords with `pulumi stack output passwords --show-secrets`. */
export const { connection, addresses, ports, passwords, statsPassword } = cluster;
/** What clients connect to the stack's forks with; passwords with `--show-secrets`. */
export const { forks, forkPasswords } = cluster;
export const { systemIdentifier } = cluster;
