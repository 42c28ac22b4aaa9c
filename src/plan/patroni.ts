import { commitsWait, replicationMode } from "../config/replication-modes";
import type { ClusterSettings, MemberSettings, Settings } from "../config/schema";
import { prefixOf } from "../dcs/existing";
import { plannedDcs } from "../dcs/planned";
import { bytesOf } from "../config/size";
import { distributionOf } from "../distributions/distributions";
import { OWNING } from "../host/ownership";
import type { Source } from "../migration/inputs/source";
import { kindOfDcs } from "../roles/dcs";
import { MEMBER_FILE, patroni, PATRONI_FOLDER, PATRONI_PORT, SECRETS_FILE } from "../roles/patroni";
import { roleNamed } from "../roles/roles";
import { addressOf } from "./addresses";
import { hostBasedAuthentication } from "./authentication";
import { backupPasswords, backupRoles } from "./backup";
import { dcsAddress, dcsOnHost, planDcs, planMove } from "./dcs";
import { memberBackups } from "./member-backups";
import { baseConfiguration, placesOf } from "./member-places";
import { isSource, reaches } from "../migration/steps";
import { ROLES } from "./database-roles";
import { script } from "./script";
import { endpoint, render } from "./template";
import type { Files, PatroniPlan, ServicePlan } from "./types";

/** What Patroni's unit runs first. */
const BEFORE_START = "/var/lib/pgherd/before-patroni";

/** Knows whether the data's file system is there; the status asks it (src/facts/places.ts). */
const DATA_PLACE = "/var/lib/pgherd/data-place";

/** With the limits of the program that asks it is a minute at most. */
const ASK_TRIES = 10;

/** What Patroni runs in, where a migrated server has variables of its environment. */
const WITH_ENVIRONMENT = "/var/lib/pgherd/with-environment";

/** What Patroni calls where PostgreSQL has started, and its other callback where a member is promoted. */
const GIVE_LEAD_AWAY = "/var/lib/pgherd/give-dcs-lead-away";

/** What Patroni calls where PostgreSQL has got another role. */
const PROMOTED = "/var/lib/pgherd/promoted";

/** A new leader replays first what it has received. */
const PROMOTION_SECONDS = 300;

/** A first start makes the database. */
const FIRST_START_SECONDS = 180;

/** A restore may copy and replay for a day; whoever does not want to wait so long sees how far it is. */
const RESTORE_SECONDS = 24 * 3600;

/** What must hold across the Patroni members. */
export function planPatroni(settings: Settings): PatroniPlan {
  const { hosts, cluster } = settings;
  return {
    members: Object.fromEntries(
      cluster.members.map(({ host }) => [host, endpoint(addressOf(hosts, host), PATRONI_PORT)]),
    ),
    port: cluster.postgresql.port,
    roles: [
      ...cluster.postgresql.users.map(
        ({ name, createdb, createrole, connectionLimit, grants, onRemoval }) => ({
          ...(onRemoval !== "close" && { onRemoval }),
          name,
          createdb,
          createrole,
          connectionLimit,
          ...(grants && { memberOf: [...new Set(grants)].sort(), noOthers: true }),
        }),
      ),
      ...backupRoles(cluster),
    ],
    firstStartSeconds: cluster.postgresql.bootstrap ? RESTORE_SECONDS : FIRST_START_SECONDS,
    databases: cluster.postgresql.databases.map(({ onRemoval, schemas, ...database }) => ({
      ...database,
      ...(schemas.length > 0 && {
        schemas: schemas.map(({ name, owner = database.owner, usage, create }) => ({
          ...{ name, owner },
          ...{ usage: [...new Set(usage)].sort(), create: [...new Set(create)].sort() },
        })),
      }),
      ...(onRemoval === "drop" && { onRemoval }),
    })),
    passwords: {
      [ROLES.replication]: { role: "patroni", name: "replication" },
      [ROLES.rewind]: { role: "patroni", name: "rewind" },
      ...backupPasswords(cluster),
    },
    synchronous: synchronous(cluster),
    neverLead: cluster.members
      .filter(({ tags }) => tags.nofailover || tags.failover_priority === 0)
      .map(({ host }) => host),
    // Until the clients have moved, a switchover would leave them with a server that takes no writes.
    leaderStays: reaches(settings, "cutOver") ? null : (cluster.migration?.from ?? null),
    rolling: { ...cluster.rolling, maximumLag: bytesOf(cluster.rolling.maximumLag) },
  };
}

/** The replicas that confirm commits, as Patroni's REST API calls their role. */
function synchronous(cluster: ClusterSettings): PatroniPlan["synchronous"] {
  if (!commitsWait(cluster)) return null;
  const { replication, members } = cluster;
  const { confirming } = replicationMode(cluster);
  return { role: confirming.role, count: Math.min(replication.count, members.length - 1) };
}

/** The option of initdb; since PostgreSQL 18 they are on by default (release notes, E.1.2). */
function checksums({ dataChecksums, version }: ClusterSettings["postgresql"]): string | null {
  if (dataChecksums) return "data-checksums";
  return version >= 18 ? "no-data-checksums" : null;
}

/** Patroni, and by it PostgreSQL, on each member; that of a server which is migrated first, since the others copy it. */
export function planPatroniServices(settings: Settings): ServicePlan[] {
  const dcs = planDcs(settings);
  return membersSoFar(settings).map((member) => {
    const given = plannedDcs(dcs.kind).patroniSecret(dcsOnHost(settings, dcs, member.host));
    return {
      host: member.host,
      daemon: "patroni",
      move: planMove(settings),
      directories: {
        [PATRONI_FOLDER]: { ...READ_BY_POSTGRES, mode: "0750" },
      },
      files: filesOf(settings, member),
      secretFiles: {
        [SECRETS_FILE]: {
          ...READ_BY_POSTGRES,
          template: "patroni/secrets.yml",
          values: { roles: ROLES, dcs: given ?? null },
          secrets: {
            replication: { role: "patroni", name: "replication" },
            rewind: { role: "patroni", name: "rewind" },
            restApi: { role: "patroni", name: "rest-api" },
            ...(given && { dcs: given.secret }),
          },
        },
      },
    };
  });
}

/** The files of each member of a cluster that is migrated, in place of those that its service is planned with. */
export function migratedFiles(settings: Settings, source: Source): { [host: string]: Files } {
  return Object.fromEntries(
    membersSoFar(settings).map((member) => [member.host, filesOf(settings, member, source)]),
  );
}

/** Those that a migration has come to. */
function membersSoFar(settings: Settings): MemberSettings[] {
  const { members } = settings.cluster;
  return [
    ...(reaches(settings, "adopted") ? members.filter(({ host }) => isSource(settings, host)) : []),
    ...(reaches(settings, "replicated")
      ? members.filter(({ host }) => !isSource(settings, host))
      : []),
  ];
}

/** Patroni only reads its configuration; root goes by what stands there, so that postgres must not be able to change it. */
const READ_BY_POSTGRES = { mode: "0640", owner: "root", group: "postgres" };

/** @param source the server that is migrated, if one is. */
function filesOf(settings: Settings, { host, tags }: MemberSettings, source?: Source): Files {
  const { hosts, cluster } = settings;
  const { postgresql } = cluster;
  const address = addressOf(hosts, host);
  const places = placesOf(settings, host, source);
  const backups = memberBackups(settings);
  const dcs = planDcs(settings);
  const dcsLead = giveDcsLeadAway(settings, host);
  const giveLeadAway = Object.hasOwn(dcsLead, GIVE_LEAD_AWAY) ? GIVE_LEAD_AWAY : null;
  const base: Files = places.baseConfiguration
    ? {
        [places.baseConfiguration]: {
          ...READ_BY_POSTGRES,
          content: baseConfiguration(isSource(settings, host) ? source : undefined),
        },
      }
    : {};
  return {
    ...base,
    [MEMBER_FILE]: {
      ...READ_BY_POSTGRES,
      content: render("patroni/member.yml", {
        scope: cluster.name,
        // Patroni's own, where nothing is said.
        namespace: dcs.existing ? prefixOf(dcs.existing) : null,
        name: host,
        restListen: endpoint(address, PATRONI_PORT),
        dcsSettings: plannedDcs(dcs.kind).patroniSettings(dcsOnHost(settings, dcs, host)),
        listen: `${places.listen}:${postgresql.port}`,
        connectAddress: endpoint(address, postgresql.port),
        dataDirectory: places.dataDirectory,
        configDirectory: places.configDirectory ?? null,
        baseConfiguration: places.baseConfiguration ?? null,
        binDirectory: places.binDirectory,
        home: distributionOf(cluster).homes.postgres,
        socketDirectories: places.socketDirectories,
        maxRate: maxRate(cluster),
        roles: ROLES,
        locale: postgresql.locale,
        checksums: checksums(postgresql),
        watchdog: cluster.failover.watchdog,
        replicas: backups.replicas ?? null,
        bootstrap: backups.bootstrap ?? null,
        onStart: giveLeadAway,
        onRoleChange: PROMOTED,
        pgHba: hostBasedAuthentication(settings, source),
        ident: source?.ident ?? [],
        tags: tagsOf(tags),
      }),
    },
    [`/etc/systemd/system/${patroni.unit}.d/pgherd.conf`]: {
      mode: "0644",
      owner: "root",
      group: "root",
      content: render("patroni/unit.conf", {
        dcs: dcs.kind,
        // One that somebody else runs may be on this host too.
        dcsUnit: `${dcs.existing ? "network-online.target " : ""}${roleNamed(kindOfDcs(dcs.kind).role).unit}`,
        config: PATRONI_FOLDER,
        dataPlace: DATA_PLACE,
        beforeStart: BEFORE_START,
        // systemd would read quotes, blanks and percent signs in a path of a migrated server.
        mounts: /^[\w./-]+$/.test(places.dataDirectory) ? places.dataDirectory : null,
        withEnvironment: source?.environmentFile ? WITH_ENVIRONMENT : null,
        environmentFile: source?.environmentFile ?? null,
      }),
    },
    ...script(DATA_PLACE, "patroni/data-place.sh", {
      dataDirectory: places.dataDirectory,
      record: "/var/lib/pgherd/data-mount",
    }),
    [BEFORE_START]: {
      mode: "0644",
      owner: "root",
      group: "root",
      content: render("patroni/before-start.sh", {
        dataDirectory: places.dataDirectory,
        binDirectory: places.binDirectory,
        begun: "/var/lib/pgherd/database-begun",
        initializeKey: `${prefixOf(dcs.existing)}${cluster.name}/initialize`,
        dcs: plannedDcs(dcs.kind).script(dcsAddress(dcs)),
        owning: OWNING,
        tries: ASK_TRIES,
      }),
    },
    ...(source?.environmentFile ? script(WITH_ENVIRONMENT, "patroni/with-environment.sh", {}) : {}),
    ...dcsLead,
    ...script(PROMOTED, "patroni/promoted.sh", {
      giveLeadAway,
      program: `${places.binDirectory}/psql`,
      // The first of several (PostgreSQL, unix_socket_directories).
      socket: /^\s*"?([^",]*)/.exec(places.socketDirectories)?.[1]?.trim() ?? "",
      port: postgresql.port,
      superuser: ROLES.superuser,
      seconds: PROMOTION_SECONDS,
    }),
    ...backups.files,
  };
}

/**
 * A member's tags. Of `nofailover` and `failover_priority` one, as Patroni's own check demands: beside the former, be it false, it
 * lets a member lead whose priority is 0 (patroni/tags.py, 3.2 to 4.1).
 */
function tagsOf({ nofailover, failover_priority: priority, ...others }: MemberSettings["tags"]) {
  const mayLead =
    priority === undefined || nofailover
      ? { nofailover: nofailover ?? false }
      : { failover_priority: priority };
  const told = { ...mayLead, noloadbalance: false, clonefrom: false, nosync: false, ...others };
  return Object.entries(told)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, value }));
}

/** The script that keeps the DCS's lead off the primary's host; none where that is not of the DCS, or all there is of it. */
function giveDcsLeadAway(settings: Settings, host: string): Files {
  const { kind, members } = planDcs(settings);
  const { [host]: own, ...others } = members;
  const { giveLeadAway: template } = plannedDcs(kind);
  if (!template || own === undefined || Object.keys(others).length === 0) return {};
  return script(GIVE_LEAD_AWAY, template, { own, others: Object.values(others) });
}

/** As pg_basebackup takes it, in kilobytes. */
function maxRate({ migration }: ClusterSettings): string | null {
  return migration?.maxRate ? `${Math.ceil(bytesOf(migration.maxRate) / 1024)}k` : null;
}
