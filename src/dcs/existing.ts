import type { SecretName } from "../roles/roles";
import type { DcsPlace, DcsVoters } from "./dcs";
import type { PatroniDcs } from "./planned";

// A DCS that somebody else runs: where it is asked, and what each member's host keeps to be let in.

/** What tells such a DCS from one that pgherd deploys. */
export interface ExistingPlace {
  /** Below it lies all that is the cluster's: `/service`. */
  readonly prefix: string;
  /** Where the host has what it is let in with. @default ACCESS */
  readonly access?: string;
}

/** Patroni's own, and that of every DCS of pgherd's (docs/yaml_configuration.rst, `namespace`). */
const PREFIX = "/service";

/** What all keys begin with, a slash at the end: `/service/`. */
export function prefixOf({ prefix }: Partial<ExistingPlace> = {}): string {
  return `${(prefix ?? PREFIX).replace(/\/$/, "")}/`;
}

/** Patroni's settings of what it verifies the DCS by, and shows it: the same for every kind. */
export function certificateLines({ existing, identity }: PatroniDcs): string[] {
  const { ca, certificate, key } = accessFiles(existing?.access);
  const setting = (name: string, value: string) => `  ${name}: ${JSON.stringify(value)}`;
  return [
    ...(identity?.ca ? [setting("cacert", ca)] : []),
    ...(identity?.certificate ? [setting("cert", certificate), setting("key", key)] : []),
  ];
}

/** What the user has given, by `pulumi config set --secret pgherd:dcsPassword` or `pgherd:dcsToken`, and `pgherd:dcsKey`. */
export const GIVEN_SECRET: SecretName = { role: "patroni", name: "dcs" };
export const GIVEN_KEY: SecretName = { role: "patroni", name: "dcs-key" };

/** Patroni reads some of what is there, root alone the rest. */
export const ACCESS = "/etc/pgherd/dcs";

/** What is in it. */
export function accessFiles(directory = ACCESS) {
  const file = (name: string) => `${directory}/${name}`;
  return {
    ca: file("ca.crt"),
    certificate: file("client.crt"),
    key: file("client.key"),
    /** What curl takes with `-K`. */
    curl: file("curl.conf"),
    /** The header of each request, where a token stands in one. */
    header: file("header"),
    /** The body of the request by which a user is let in. */
    login: file("login.json"),
    /** The environment of the DCS's own client. */
    environment: file("client.env"),
  };
}

/** Where all of a DCS is asked. */
export function placeOf({ members, existing }: Omit<DcsVoters, "kind">): DcsPlace {
  if (!existing) return { endpoints: Object.values(members) };
  const { endpoints, ...place } = existing;
  return { endpoints, existing: place };
}

/** `["10.0.0.1", 2379]`; a URL forgets a port that is its scheme's own. */
export function hostAndPort(endpoint: string): [host: string, port: number] {
  const [, host = "", port] = /^https?:\/\/(.*):(\d+)$/.exec(endpoint) ?? [];
  return [host, Number(port)];
}

/** How a cluster stands with a DCS of somebody else's, as one host sees it. */
export interface Standing {
  /** The endpoints that answer, each for a majority. */
  readonly answering: readonly string[];
  /** What was said where none of them does. */
  readonly said: string;
  /** Of its program; unknown where it does not tell. */
  readonly version?: string;
  /** Whether its rights let in to all that is the cluster's; else what it says. */
  readonly may: true | string;
  /** Whether they let in to what is not the cluster's, too. */
  readonly mayMore: boolean;
  /** Seconds of the shortest ttl of Patroni's that it serves; unknown where it does not tell. */
  readonly leastTtl?: number;
  /** What has to be lowered there for a shorter one. */
  readonly shorterBy?: string;
  /** Identifier of the database that it knows under the cluster's name: none, or empty while it is made. */
  readonly systemIdentifier?: string;
}
