import { z } from "zod";
import { settings } from "../../src/config/schema";

/** What a user writes, before anybody has looked at it. */
export type Raw =
  null | string | number | boolean | readonly Raw[] | { readonly [key: string]: Raw };

/** A text of a stack: where it stands, and what. `key`: it is the name of a block there. */
export interface Text {
  readonly path: readonly (string | number)[];
  readonly value: string;
  readonly key: boolean;
}

const name = "zz-cluster";

const hostKey = (mark: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${mark.padEnd(43, "A")}`;

/** A cluster with all that there is, in which no two texts that go into a file are alike. */
const everything: Raw = {
  hosts: {
    "zz-db": {
      address: "10.89.1.11",
      user: "zz-login",
      hostKey: hostKey("Azz"),
      proxyJump: "zz-jumper@10.88.0.1:2222",
    },
    "zz-dc": { address: "10.89.1.12" },
    "zz-dd": { address: "10.89.1.13" },
    "zz-lb": { address: "10.89.1.31", hostKey: hostKey("Ayy"), user: "zz-admin" },
    "zz-lc": { address: "10.89.1.32" },
    "zz-vault": { address: "10.89.1.41" },
    "zz-wreck": { address: "10.89.1.42" },
  },
  ssh: { user: "zz-user", knownHosts: "/zz/known_hosts" },
  cluster: {
    name,
    postgresql: {
      dataDirectory: "/srv/zz-data",
      locale: "zz_ZZ.UTF-8",
      bootstrap: {
        from: "barman",
        host: "zz-wreck",
        cluster: "zz-lost",
        directory: "/srv/zz-lost-backups",
        backup: "20261121T020001",
        target: { time: "2026-11-21 14:30:00+01" },
      },
      packages: ["zz-package"],
      resources: { memory: "512MB", disk: "20GB" },
      parameters: { "zz.setting": "zz-value", log_line_prefix: "zz prefix" },
      users: [{ name: "zz_user", grants: ["zz_reader"] }, { name: "zz_reader" }],
      databases: [
        {
          ...{ name: "zz_database", owner: "zz_user", extensions: ["zz_extension"] },
          schemas: [
            { name: "zz_schema", owner: "zz_reader", usage: ["zz_reader"], create: ["zz_reader"] },
          ],
        },
      ],
      slots: { zz_slot: { type: "logical", database: "zz_database", plugin: "zz_plugin" } },
      pgHba: ["host zz_database zz_user 10.77.0.0/16 scram-sha-256"],
      pgHbaFirst: ["host zz_database zz_user 10.78.0.0/16 scram-sha-256"],
    },
    members: ["zz-db", { host: "zz-dc", tags: { replicatefrom: "zz-db" } }, "zz-dd"],
    failover: { profile: "default", maximumLag: "3MB" },
    rolling: { maximumLag: "11MB" },
    dcs: {
      kind: "etcd",
      members: ["zz-db", "zz-dc", "zz-dd"],
      token: "zz-token",
      dataDirectory: "/srv/zz-etcd",
      quota: "3GB",
      compaction: "2h",
    },
    loadBalancers: {
      hosts: ["zz-lb", "zz-lc"],
      vip: ["10.89.1.100/24", "fd00:89::100/64"],
      interface: "zz0",
      maximumLag: "99MB",
      timeouts: { client: "23h", server: "22h", queue: "6s", connect: "3s" },
    },
    backup: {
      host: "zz-vault",
      directory: "/srv/zz-backups",
      schedule: "3 2 * * *",
      retention: "RECOVERY WINDOW OF 9 DAYS",
      bandwidth: "7MB",
      verify: { schedule: "4 5 * * 0", checks: [{ database: "zz_database", sql: "select zz" }] },
    },
    firewall: {
      clients: ["10.1.0.0/16", "fd00:1::/64"],
      ssh: ["10.2.0.0/16"],
      admins: ["10.3.0.0/16"],
      monitors: ["zz-metrics"],
      allow: [{ hosts: ["zz-db"], from: ["10.4.0.0/16"], port: 9100 }],
    },
    system: { sysctl: { "zz.kernel": "zz-number" } },
    forks: [
      { name: "zz-fork", from: "zz-db", port: 6000, memory: "256MB", disk: "2GB", ttl: "8h" },
    ],
    hooks: [
      { name: "zz-hook", when: "after", run: "echo zz" },
      { name: "zz-there", when: "after", on: "zz-lb", run: "echo zz there" },
    ],
  },
};

/** The same in short, by IPv6, made of a server that runs already. */
const adopted: Raw = {
  hosts: {
    "zz-db": { address: "fd00:89::11" },
    "zz-dc": { address: "fd00:89::12" },
    "zz-dd": { address: "fd00:89::13" },
    "zz-lb": { address: "fd00:89::31" },
    "zz-lc": { address: "fd00:89::32" },
    "zz-vault": { address: "fd00:89::41" },
  },
  ssh: { identityFile: "/zz/key", proxyJump: "zz-jump.example" },
  cluster: {
    name,
    postgresql: {
      bootstrap: {
        from: "barman",
        host: "zz-vault",
        cluster: "zz-lost",
        target: { name: "zz-point" },
        backup: "20261121T020001",
      },
    },
    members: ["zz-db", "zz-dc", "zz-dd"],
    dcs: { kind: "etcd", members: ["zz-db", "zz-dc", "zz-dd"] },
    loadBalancers: { hosts: ["zz-lb", "zz-lc"], vip: "fd00:89::100/64", interface: "zz0" },
    backup: { host: "zz-vault" },
    migration: { from: "zz-db", superuser: "zz_super", maxRate: "5MB" },
  },
};

/** By two clusters side by side: the members follow a server that stays. */
const following: Raw = {
  hosts: { "zz-db": { address: "10.89.1.11" }, "zz-old": { address: "10.89.1.99" } },
  cluster: {
    name,
    postgresql: {},
    members: ["zz-db"],
    dcs: { kind: "etcd", members: ["zz-db"] },
    firewall: { clients: ["10.1.0.0/16"] },
    migration: {
      method: "standbyCluster",
      from: "zz-old",
      superuser: "zz_super",
      maxRate: "5MB",
    },
  },
};

/** By a position of the WAL. */
const restored: Raw = {
  hosts: { "zz-db": { address: "10.89.1.11" }, "zz-vault": { address: "10.89.1.41" } },
  cluster: {
    name,
    postgresql: {
      bootstrap: {
        from: "barman",
        host: "zz-vault",
        cluster: "zz-lost",
        target: { lsn: "0/5000060" },
      },
    },
    members: ["zz-db"],
    removed: ["zz-gone"],
    dcs: { kind: "etcd", members: ["zz-db"] },
    firewall: { clients: ["10.1.0.0/16"] },
  },
};

const PEM = "-----BEGIN CERTIFICATE-----\nzzCA\n-----END CERTIFICATE-----\n";

/** An etcd that is there already. */
const existing: Raw = {
  kind: "etcd",
  endpoints: ["https://zz-etcd.example:2379"],
  username: "zz-user",
  ca: PEM,
  certificate: PEM.replace("zzCA", "zzclient"),
  prefix: "/zz/clusters",
};

function inDcs(dcs: Raw): Raw {
  return {
    hosts: { "zz-db": { address: "10.89.1.11" } },
    cluster: { name, members: ["zz-db"], dcs, firewall: { clients: ["10.1.0.0/16"] } },
  };
}

const among = inDcs(existing);

const comes = inDcs({ kind: "consul", members: ["zz-db"], movedFrom: existing });

const goes = inDcs({
  kind: "consul",
  members: ["zz-db"],
  movedFrom: {
    ...{ kind: "etcd", members: ["zz-db"], token: "zz-token", dataDirectory: "/zz/etcd" },
    ...{ quota: "3GB", compaction: "2h" },
  },
});

/** Stacks that together have every text that the schema knows. */
export const STACKS: { readonly [name: string]: Raw } = {
  everything,
  adopted,
  following,
  restored,
  among,
  comes,
  goes,
};

/** Every text of a stack. */
export function textsOf(raw: Raw, path: Text["path"] = []): Text[] {
  if (typeof raw === "string") return [{ path, value: raw, key: false }];
  if (Array.isArray(raw)) return raw.flatMap((one: Raw, i) => textsOf(one, [...path, i]));
  if (raw === null || typeof raw !== "object") return [];
  return Object.entries(raw as { [key: string]: Raw }).flatMap(([key, one]) => [
    ...(isChosen(path) ? [{ path, value: key, key: true }] : []),
    ...textsOf(one, [...path, key]),
  ]);
}

const CHOSEN = [
  "hosts",
  "cluster.postgresql.parameters",
  "cluster.postgresql.slots",
  "cluster.system.sysctl",
];

/** Whether the names in a block are the user's. */
function isChosen(path: Text["path"]): boolean {
  return CHOSEN.includes(path.join("."));
}

/** A stack in which another text stands wherever this one does, as one who renames a host has to write it. */
export function exchanged(raw: Raw, value: string, by: string, path: Text["path"] = []): Raw {
  if (typeof raw === "string") return raw === value ? by : raw;
  if (Array.isArray(raw))
    return raw.map((one: Raw, i) => exchanged(one, value, by, [...path, i])) as readonly Raw[];
  if (raw === null || typeof raw !== "object") return raw;
  return Object.fromEntries(
    Object.entries(raw as { [key: string]: Raw }).map(([key, one]) => [
      isChosen(path) && key === value ? by : key,
      exchanged(one, value, by, [...path, key]),
    ]),
  );
}

/** Where the schema has texts: `cluster.postgresql.users[].name`, and `hosts{}` for the names of a block. */
export function textsOfSchema(schema: z.core.$ZodType = settings, path = ""): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return Object.entries(def.shape).flatMap(([key, one]) =>
        textsOfSchema(one, path === "" ? key : `${path}.${key}`),
      );
    case "array":
      return textsOfSchema(def.element, `${path}[]`);
    case "record":
      return [`${path}{}`, ...textsOfSchema(def.valueType, `${path}.*`)];
    case "union":
      return [...new Set(def.options.flatMap((one) => textsOfSchema(one, path)))];
    case "optional":
    case "default":
    case "prefault":
      return textsOfSchema(def.innerType, path);
    case "pipe":
      return textsOfSchema(def.in, path);
    case "string":
      return [path];
    case "literal":
    case "enum":
    case "number":
    case "boolean":
      return [];
    default:
      throw new Error(`${path}: expected a kind of setting that this test knows, got ${def.type}`);
  }
}

/** The same of a text in a stack. */
export function kindOf({ path, key }: Text): string {
  const kind = path.reduce<string>((text, part, i) => {
    if (typeof part === "number") return `${text}[]`;
    if (isChosen(path.slice(0, i))) return `${text}.*`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
  return key ? `${kind}{}` : kind;
}
