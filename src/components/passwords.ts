import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { Secrets } from "../plan/types";

/** Characters that need no quoting in any file or URL: 32 of them hold 190 bits. */
export const LENGTH = 32;

/** VRRP cuts a password off after 8 characters (RFC 2338, section 5.3.6; keepalived.conf(5), auth_pass). */
const VRRP_LENGTH = 8;

/** The passwords of the services, each known by itself: a new one leaves in a preview what is made from the others as it is. */
export type SecretOutputs = { readonly [name in keyof Secrets]: pulumi.Output<string> };

/** Every password of a cluster, generated once and kept as secrets in the state. */
export class Passwords extends pulumi.ComponentResource {
  readonly secrets: SecretOutputs;
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
    this.secrets = {
      replication: generate("replication"),
      rewind: generate("rewind"),
      restApi: generate("rest-api"),
      vrrp: generate("vrrp", VRRP_LENGTH),
      stats: generate("stats"),
      ...(backups && {
        barman: generate("barman"),
        barmanStreaming: generate("streaming-barman"),
      }),
    };
    this.users = Object.fromEntries(users.map((user) => [user, generate(`user-${user}`)]));
    this.registerOutputs({});
  }
}
