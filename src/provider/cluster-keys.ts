import { dcsAt, type DcsAddress, type Unnamed } from "../dcs/dcs";
import { patroniKey } from "../dcs/patroni";
import { askDcs } from "../operations/dcs";
import type { Context } from "./context";

/** What one DCS keeps of a cluster, by name: `config`, `leader`; asked by whichever member gets an answer. */
export class ClusterKeys {
  constructor(
    private readonly context: Context,
    private readonly address: Unnamed<DcsAddress>,
    private readonly cluster: string,
    private readonly members: readonly string[],
  ) {}

  found(name: string) {
    const probe = dcsAt(this.address).keyProbe(this.key(name));
    return askDcs(this.context, this.members, (host) => host.observe(probe));
  }

  async value(name: string): Promise<string | undefined> {
    return (await this.found(name))?.value;
  }

  /** The values of those that are there. */
  async values(names: readonly string[]): Promise<{ [name: string]: string }> {
    const all = await Promise.all(names.map(async (name) => [name, await this.value(name)]));
    return Object.fromEntries(all.filter(([, value]) => value !== undefined)) as {
      [name: string]: string;
    };
  }

  /**
   * @param action what that is, in words
   * @param others that are set in the same moment
   */
  async change(
    action: string,
    name: string,
    value: string,
    revision: string,
    others: { readonly [name: string]: string } = {},
  ): Promise<void> {
    const along = Object.entries(others).map(([one, text]) => [this.key(one), text]);
    const { changeKey } = dcsAt(this.address);
    await this.run(action, changeKey(this.key(name), value, revision, Object.fromEntries(along)));
  }

  async forget(action: string, name: string): Promise<void> {
    const found = await this.found(name);
    if (found)
      await this.run(action, dcsAt(this.address).deleteKey(this.key(name), found.revision));
  }

  private async run(action: string, script: string): Promise<void> {
    await askDcs(this.context, this.members, (host) => host.change(action, script));
  }

  private key(name: string): string {
    return patroniKey(this.cluster, name);
  }
}
