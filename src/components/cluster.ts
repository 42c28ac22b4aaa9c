import * as pulumi from "@pulumi/pulumi";
import { checkSettings, GIVEN_SECRETS, type GivenSecret } from "../config/parse";
import type { GivenSettings, Settings } from "../config/schema";
import { ConfigError } from "../errors";
import { planConnection } from "../plan/connection";
import { planEntryPoint } from "../plan/haproxy";
import type { EntryPointPlan } from "../plan/types";
import { warnings } from "../plan/warnings";
import type { Eventual } from "../resources/eventual";
import { Assembly, type GivenSecrets } from "./assembly";
import { comesLater, ofMade, whenKnown } from "./when-known";

/** What a cluster is made from: what a stack says to pgherd, each value of which may come from another resource. */
export type ClusterArgs = {
  readonly [block in keyof GivenSettings]: Eventual<GivenSettings[block]>;
} & {
  /** Of the role that the members stream with from a server outside, for `migration.method: standbyCluster`. */
  readonly migrationPassword?: pulumi.Input<string>;
  /** Of `cluster.dcs.username`, of an etcd that is there already. */
  readonly dcsPassword?: pulumi.Input<string>;
  /** Of a Consul that is there already. */
  readonly dcsToken?: pulumi.Input<string>;
  /** Of `cluster.dcs.certificate`, as PEM. */
  readonly dcsKey?: pulumi.Input<string>;
};

/** What is given beside the settings, since none of it may be shown. */
type Given = { readonly [secret in GivenSecret]?: pulumi.Input<string> };

/** What a cluster hands out. */
interface Built {
  readonly connection: pulumi.Output<{ readonly [entrance: string]: string }>;
  readonly addresses: pulumi.Output<readonly string[] | undefined>;
  readonly ports: pulumi.Output<EntryPointPlan["ports"] | undefined>;
  readonly passwords: pulumi.Output<{ readonly [user: string]: string }>;
  readonly statsPassword: pulumi.Output<string | undefined>;
  readonly forks: pulumi.Output<{ readonly [fork: string]: string }>;
  readonly forkPasswords: pulumi.Output<{ readonly [fork: string]: string }>;
  readonly systemIdentifier: pulumi.Output<string>;
  readonly stackFile: pulumi.Output<string>;
}

/** Settings as they are given, and checked. */
interface Read {
  readonly raw: object;
  readonly settings: Settings;
  /** Those that it needs. */
  readonly secrets: GivenSecrets;
}

const NO_FIREWALL =
  "pgherd:cluster.firewall is false: pgherd sets no rules on the hosts. Whoever reaches the ports of etcd and Patroni there, " +
  "every user of these hosts included, can do with the data what he likes, without a password. Remove it, or see to it that only " +
  "the cluster's hosts reach them, and that only root and the daemons' users log in there.";

/** A highly available PostgreSQL cluster. Passwords among what it hands out are secrets. */
export class Cluster extends pulumi.ComponentResource implements Built {
  /** What clients connect with, by entrance: `{ primary: "postgresql://10.89.0.100:5000/", … }`. User and database are theirs to add. */
  readonly connection: Built["connection"];
  /** Where clients connect: the virtual IP if there is one, else each balancer's address. Without balancers nothing. */
  readonly addresses: Built["addresses"];
  /** The ports of the entrances there. */
  readonly ports: Built["ports"];
  /** Passwords by login role. */
  readonly passwords: Built["passwords"];
  /** Of the user `stats` of the balancers' statistics page. */
  readonly statsPassword: Built["statsPassword"];
  /** What clients connect to the declared forks with, by fork. */
  readonly forks: Built["forks"];
  /** Of every login role on a fork, by fork. */
  readonly forkPasswords: Built["forkPasswords"];
  /** Of the data: stays the same for the life of the database. */
  readonly systemIdentifier: Built["systemIdentifier"];
  /** The settings as the text of a stack file, which `pgherd … --config-file` reads. */
  readonly stackFile: Built["stackFile"];

  /**
   * @param name what the names of its resources begin with; the cluster's own name too, where `cluster.name` says no other.
   * @throws RunError with every problem of settings that are known.
   */
  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const { migrationPassword, dcsPassword, dcsToken, dcsKey, ...given } = args;
    const secrets = { migrationPassword, dcsPassword, dcsToken, dcsKey };
    const read = (raw: object) => readSettings(name, raw, secrets);
    // Before anything is registered.
    const now = comesLater(given) ? undefined : read(given);
    super("pgherd:component:Cluster", name, {}, opts);
    const built = now
      ? ofMade(this.build(name, now))
      : whenKnown(
          pulumi.output<object>(given),
          (known) => this.build(name, read(known)),
          () => void pulumi.log.warn(notKnown(name), this),
        );
    this.connection = built("connection");
    this.addresses = built("addresses");
    this.ports = built("ports");
    this.passwords = built("passwords");
    this.statsPassword = built("statsPassword");
    this.forks = built("forks");
    this.forkPasswords = built("forkPasswords");
    this.systemIdentifier = built("systemIdentifier");
    this.stackFile = built("stackFile");
    this.registerOutputs({ systemIdentifier: this.systemIdentifier });
  }

  private build(name: string, { raw, settings, secrets }: Read): Built {
    const { firewall } = settings.cluster;
    const told = [...(firewall === false ? [NO_FIREWALL] : []), ...warnings(settings)];
    for (const warning of told) void pulumi.log.warn(warning, this);
    const assembly = new Assembly(name, settings, secrets, this);
    const { passwords, statsPassword, forks, systemIdentifier } = assembly;
    const entryPoint = planEntryPoint(settings);
    return {
      connection: pulumi.output(planConnection(settings)),
      addresses: pulumi.output(entryPoint?.addresses),
      ports: pulumi.output(entryPoint?.ports),
      passwords: pulumi.secret(passwords),
      statsPassword: entryPoint ? pulumi.secret(statsPassword) : pulumi.output(undefined),
      forks: pulumi.output(forks?.connection ?? {}),
      forkPasswords: pulumi.secret(forks?.passwords ?? {}),
      systemIdentifier,
      stackFile: pulumi.output(stackFile(raw)),
    };
  }
}

/** The settings of a cluster that is called as its resource is, if they give it no name. */
function named(name: string, given: object) {
  const { cluster } = given as { readonly cluster?: unknown };
  const block = cluster !== null && typeof cluster === "object" && !Array.isArray(cluster);
  return block ? { ...given, cluster: { name, ...cluster } } : given;
}

function readSettings(name: string, given: object, secrets: Given): Read {
  const raw = named(name, given);
  const { settings, problems, secrets: needed } = checkSettings(raw);
  const missing = GIVEN_SECRETS.flatMap((one) => {
    const what = needed[one];
    return what !== undefined && secrets[one] === undefined ? [notGiven(one, what)] : [];
  });
  if (settings && problems.length + missing.length === 0) {
    const own = GIVEN_SECRETS.flatMap((one): [string, pulumi.Output<string>][] => {
      const value = secrets[one];
      return needed[one] === undefined || value === undefined ? [] : [[one, pulumi.secret(value)]];
    });
    return { raw, settings, secrets: Object.fromEntries(own) };
  }
  // The engine shows this error's message alone, without a stack that helps nobody.
  throw new pulumi.RunError(new ConfigError([...problems, ...missing]).message);
}

function notGiven(secret: GivenSecret, what: string): string {
  return `pgherd:${secret}: expected ${what}, got nothing. Set it: pulumi config set --secret pgherd:${secret}`;
}

/** JSON, which YAML is a superset of. */
function stackFile(raw: object): string {
  const config = Object.entries(raw).map(([key, value]) => [`pgherd:${key}`, value]);
  return `${JSON.stringify({ config: Object.fromEntries(config) }, null, 2)}\n`;
}

function notKnown(name: string): string {
  return (
    `${name}: its settings come from resources that are still to be made, so that this preview shows nothing of the cluster; ` +
    "what it calls deleted of it is not. `pulumi up` goes on with the cluster once they are there."
  );
}
