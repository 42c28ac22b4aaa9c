import { until, type LabCluster } from "./lab-cluster";
import { PASSWORD } from "./shop";

/** A host outside, with a server of its own which subscribes to the shop's orders. */
const HOST = "backup1";

/** Somebody who gets each new row by logical replication, as from any server. */
export class Subscriber {
  constructor(private readonly lab: LabCluster) {}

  /** @param address where the server is now. */
  async subscribe(address: string, port: number): Promise<void> {
    await this.lab.onHost(
      HOST,
      "sudo sh -c 'apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install postgresql >/dev/null'",
    );
    await this.sql("create table orders (id bigint primary key, at timestamptz)");
    await this.sql(
      `create subscription orders connection '${connection(address, port)}' publication orders`,
    );
  }

  /** Goes on where it was, from another address. */
  async move(address: string, port: number): Promise<void> {
    await this.sql(`alter subscription orders connection '${connection(address, port)}'`);
  }

  /** Waits until everything has arrived that is there now. @param leader where the rows are written. */
  async catchesUp(leader: string): Promise<void> {
    const last = "select coalesce(max(id), 0) from orders";
    const wanted = await this.lab.superuserSql(leader, last, "shop");
    await until(`row ${wanted} to arrive at the subscriber`, 60, async () =>
      Number(await this.sql(last)) >= Number(wanted) ? true : undefined,
    );
  }

  /** All that has arrived: no row twice, since they have a key. */
  async count(): Promise<number> {
    return Number(await this.sql("select count(*) from orders"));
  }

  private sql(text: string): Promise<string> {
    return this.lab.superuserSql(HOST, text);
  }
}

/** A virtual IP that goes away says nothing to those who are connected: they have to notice by themselves, and soon. */
const NOTICING =
  "keepalives_idle=5 keepalives_interval=2 keepalives_count=3 tcp_user_timeout=10000";

function connection(address: string, port: number): string {
  return `host=${address} port=${port} dbname=shop user=subscriber password=${PASSWORD} ${NOTICING}`;
}
