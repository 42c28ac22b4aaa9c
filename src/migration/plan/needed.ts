import type { Settings } from "../../config/schema";
import { migratedParameters } from "../../plan/dynamic-configuration";
import { hbaFile, listenAddresses, listens, running, streams } from "../carried/settings";
import type { Source } from "../inputs/source";

/** What the old server must be restarted for before any replica can follow; empty for most. */
export function neededAtOnce(settings: Settings, source: Source): { [name: string]: string } {
  const wanted = migratedParameters(settings, source);
  const needed: { [name: string]: string } = {};
  const unless = (name: string, fits: boolean, value: string | number) => {
    if (!fits) needed[name] = String(value);
  };
  unless("listen_addresses", listens(source), listenAddresses(source));
  unless("wal_level", running(source, "wal_level") !== "minimal", wanted.wal_level ?? "");
  for (const name of ["max_wal_senders", "max_replication_slots"]) {
    const least = streams(settings.cluster, source);
    unless(name, Number(running(source, name)) >= least, wanted[name] ?? least);
  }
  unless("hba_file", source.hbaFile === hbaFile(source), hbaFile(source));
  return needed;
}
