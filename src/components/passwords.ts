import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { Secrets } from "../plan/types";

/** Characters that need no quoting in any file or URL: 32 of them hold 190 bits. */
export const LENGTH = 32;

/** VRRP cuts a password off after 8 characters (RFC 2338, section 5.3.6; keepalived.conf(5), auth_pass). */
const VRRP_LENGTH = 8;

/** Every password of a cluster, generated once and kept as secrets in the state. */
export class Passwords extends pulumi.ComponentResource {
  readonly secrets: pulumi.Output<Secrets>;
  /** By login role. */
  readonly users: { readonly [user: string]: pulumi.Output<string> };

  /** @param backups whether there are roles for them. */
  constructor(
    name: string,
    users: readonly string[],
    backups: boolean,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("pgherd:component:Passwords", name, {}, opts);
    const generate = (what: string, length = LENGTH) =>
      new RandomPassword(`${name}-${what}`, { length, special: false }, { parent: this }).result;
    this.secrets = pulumi
      .all([
        generate("replication"),
        generate("rewind"),
        generate("rest-api"),
        generate("vrrp", VRRP_LENGTH),
        generate("stats"),
        backups ? generate("barman") : undefined,
        backups ? generate("streaming-barman") : undefined,
      ])
      .apply(([replication, rewind, restApi, vrrp, stats, barman, barmanStreaming]) => ({
        replication,
        rewind,
        restApi,
        vrrp,
        stats,
        barman,
        barmanStreaming,
      }));
    this.users = Object.fromEntries(users.map((user) => [user, generate(`user-${user}`)]));
    this.registerOutputs({});
  }
}
