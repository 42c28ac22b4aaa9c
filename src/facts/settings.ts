import type { Probe } from "../host/host";
import type { SettingKind } from "../setting-values";
import { hereDocument } from "../host/shell";
import { MARKED, UNCHANGED } from "./pending";
import { psql } from "./postgres";

/** PostgreSQL's settings on one member, as its files have them and as the server runs with them. */
export interface RunningSettings {
  /** Settings of the configuration files by lower-case name: the text as it stands there, and the file's name. */
  readonly files: { readonly [name: string]: { readonly value: string; readonly file: string } };
  /** Settings that the server was started with (Patroni gives some on the command line). */
  readonly started: { readonly [name: string]: string };
  /** Settings that the server says wait for a restart. */
  readonly pending: readonly string[];
  /** Those of them that a restart would leave as they are. */
  readonly unchanged: readonly string[];
  /** What the server runs with of these. */
  readonly inForce: { readonly [name: string]: string };
  /** What the server takes each of these for, by lower-case name; without those that it does not know. */
  readonly kinds: { readonly [name: string]: SettingKind };
}

const SETTINGS = `select json_build_object(
  'files', (select coalesce(json_object_agg(name, json_build_object('value', setting, 'file', file)), '{}') from (
      select distinct on (lower(name)) lower(name) as name, setting, regexp_replace(sourcefile, '.*/', '') as file
      from pg_file_settings where name is not null order by lower(name), seqno desc) as last),
  'started', (select coalesce(json_object_agg(name, setting), '{}') from pg_settings where source = 'command line'),
  'kinds', (select coalesce(json_object_agg(lower(name), json_build_object('type', vartype, 'unit', unit)), '{}') from pg_settings
    where source = 'command line' or lower(name) in (select lower(name) from pg_file_settings)),
  'pending', ${MARKED},
  'unchanged', ${UNCHANGED},
  'inForce', (select coalesce(json_object_agg(lower(name), setting), '{}') from pg_settings where pending_restart));
`;

/** The settings of the server on this host's port. */
export function settingsProbe(port: number): Probe<RunningSettings> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(SETTINGS)}`,
    parse: (output) => JSON.parse(output) as RunningSettings,
  };
}

/** How a setting takes effect: `postmaster` is by a restart (pg_settings, "context"). */
interface SettingContext extends SettingKind {
  readonly context: string;
}

/** How all settings of the server take effect, by lower-case name. */
export function contextsProbe(port: number): Probe<{ readonly [name: string]: SettingContext }> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(
      "select json_object_agg(lower(name), json_build_object('context', context, 'type', vartype, 'unit', unit)) from pg_settings;\n",
    )}`,
    parse: (output) => JSON.parse(output) as { [name: string]: SettingContext },
  };
}

/** What these settings are now, by lower-case name, as SHOW prints them. */
export function currentSettingsProbe(
  port: number,
  names: readonly string[],
): Probe<{ readonly [name: string]: string }> {
  const list = names.map((name) => `'${name}'`).join(", ");
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(
      `select coalesce(json_object_agg(lower(name), current_setting(name)), '{}') from pg_settings where lower(name) in (${list});\n`,
    )}`,
    parse: (output) => JSON.parse(output) as { [name: string]: string },
  };
}
