import { isIPv6 } from "node:net";
import type { Settings } from "../config/schema";
import type { Source } from "../migration/inputs/source";
import { listenAddresses } from "../migration/carried/settings";
import { isSource } from "../migration/steps";
import {
  dataDirectory,
  PATRONI_FOLDER,
  programsDirectory,
  socketsDirectory,
} from "../roles/patroni";
import { addressOf } from "./addresses";

/** What PostgreSQL reads before Patroni's settings, on members that have no files of an old server. */
const BASE_CONFIGURATION = `${PATRONI_FOLDER}/postgresql.base.conf`;

/** Where a member has what; the one with the migrated server has it where the server has it. */
interface MemberPlaces {
  readonly listen: string;
  readonly dataDirectory: string;
  readonly binDirectory: string;
  readonly socketDirectories: string;
  readonly configDirectory?: string;
  readonly baseConfiguration?: string;
}

export function placesOf(settings: Settings, host: string, source?: Source): MemberPlaces {
  const { hosts, cluster } = settings;
  const sockets = socketsDirectory(cluster);
  if (source && isSource(settings, host)) {
    const { dataDirectory, configDirectory, binDirectory } = source;
    return {
      listen: listenAddresses(source),
      dataDirectory,
      configDirectory,
      binDirectory,
      socketDirectories: source.running.unix_socket_directories ?? sockets,
      // What an earlier version has found of a server stays as that has set it up.
      baseConfiguration: source.hbaRows && BASE_CONFIGURATION,
    };
  }
  const address = addressOf(hosts, host);
  return {
    listen: `${isIPv6(address) ? `[${address}]` : address},127.0.0.1`,
    dataDirectory: dataDirectory(cluster),
    binDirectory: programsDirectory(cluster),
    socketDirectories: sockets,
    // A copy of the old server has no postgresql.conf where that stood elsewhere, or one with paths of the old host.
    baseConfiguration: source && BASE_CONFIGURATION,
  };
}

/**
 * What PostgreSQL reads before Patroni's settings. All that a migrated server has in its own files is among those; what is
 * Patroni's to set must not come back from there. Only where the server has what stays in a file.
 */
export function baseConfiguration(source?: Source): string {
  const lines = PLACES.flatMap((name) => {
    const value = source?.configured[name];
    return value === undefined ? [] : [`${name} = '${value.replaceAll("'", "''")}'\n`];
  });
  return `# Written by pgherd. All settings are Patroni's.\n${lines.join("")}`;
}

/** Settings that Patroni leaves to a server: without them it would ask for a restart. */
const PLACES = ["data_directory", "external_pid_file"];
