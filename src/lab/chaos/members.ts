import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { hostCgroups, initOf } from "../cgroup";
import { inside } from "../faults/inside";
import type { Final, Probe, Row } from "./history";
import { now } from "./load";

/** What a member's own server says of itself. */
interface MemberState {
  readonly member: string;
  readonly leads: boolean;
  readonly timeline: number;
  /** Bytes of WAL written, or replayed. */
  readonly position: number;
}

/** The database of a lab's members, as their superuser meets it on each host itself. */
export class Members {
  constructor(
    private readonly lab: string,
    readonly names: readonly string[],
    private readonly database: string,
    private readonly port: number,
  ) {}

  /** The members whose servers answer. */
  async states(): Promise<MemberState[]> {
    const asked = this.names.map(async (member): Promise<MemberState[]> => {
      const text = await this.sql(member, STATE).catch(() => "");
      const [recovery, timeline = "", position = ""] = text.trim().split("|");
      return recovery === "t" || recovery === "f"
        ? [
            {
              member,
              leads: recovery === "f",
              timeline: Number(timeline),
              position: Number(position),
            },
          ]
        : [];
    });
    return (await Promise.all(asked)).flat();
  }

  /** The member that leads; if two say so, the one on the newest timeline. */
  async leader(): Promise<string | undefined> {
    const leaders = (await this.states()).filter(({ leads }) => leads);
    return leaders.sort((a, b) => b.timeline - a.timeline)[0]?.member;
  }

  /**
   * Waits until all members are on one timeline and have replayed what the leader had written a moment ago: it may write
   * on. Returns whether that came about.
   */
  async settle(seconds: number): Promise<boolean> {
    const end = Date.now() + seconds * 1000;
    let before: MemberState | undefined;
    while (Date.now() < end) {
      const states = await this.states();
      const leaders = states.filter(({ leads }) => leads);
      const [leader] = leaders;
      const whole =
        states.length === this.names.length &&
        leaders.length === 1 &&
        before?.member === leader?.member &&
        states.every(({ timeline }) => timeline === leader?.timeline) &&
        states.every(({ position }) => position >= (before?.position ?? Infinity));
      if (whole) return true;
      before = leader;
      await sleep(500);
    }
    return false;
  }

  sql(member: string, text: string): Promise<string> {
    const psql = `${PSQL} -p ${this.port} -d ${this.database}`;
    return inside(this.lab, member, `cd /\n${psql} <<'PGHERD'\n${text}\nPGHERD`);
  }

  /** The table of the load on each member. */
  async final(leader: string): Promise<Final> {
    const tables = await Promise.all(
      this.names.map(async (member): Promise<[string, Row[]]> => {
        const text = await this.sql(member, "select client || ' ' || seq from chaos order by id;");
        const rows = text
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => {
            const [client, seq] = line.split(" ").map(Number);
            return { client: client ?? -1, seq: seq ?? -1 };
          });
        return [member, rows];
      }),
    );
    return { leader, tables: Object.fromEntries(tables) };
  }

  /** Asks a member again and again to take a write, by its own socket, until it is told to stop. */
  async probe(member: string, tell: (probe: Probe) => void, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.session(member, tell, stop);
      if (!stop.aborted) await sleep(RETRY_MS);
    }
  }

  private async session(
    member: string,
    tell: (probe: Probe) => void,
    stop: AbortSignal,
  ): Promise<void> {
    const init = initOf(hostCgroups(this.lab, member));
    if (!init) return;
    const enter = ["--target", String(init.pid), "--mount", "--uts", "--ipc", "--net", "--pid"];
    const psql = `cd /; exec ${PSQL} -p ${this.port} -d ${this.database}`;
    const child = spawn("nsenter", [...enter, "--", "/bin/sh", "-c", psql], {
      stdio: ["pipe", "pipe", "ignore"],
      // A group of its own: the Ctrl-C that ends the run must not end its measuring first.
      detached: true,
    });
    const ended = new Promise<void>((resolve) => {
      child.once("error", () => resolve());
      child.once("exit", () => resolve());
    });
    const end = () => child.kill("SIGKILL");
    stop.addEventListener("abort", end, { once: true });
    child.stdin.on("error", () => undefined);
    let begun = now();
    const ask = () => {
      begun = now();
      child.stdin.write(`${PROBE}\n`);
    };
    createInterface({ input: child.stdout }).on("line", (answer) => {
      if (answer !== REPLICA) tell({ member, timeline: parseInt(answer, 16), begun, ended: now() });
      setTimeout(ask, PROBE_MS).unref();
    });
    ask();
    await ended;
    stop.removeEventListener("abort", end);
  }
}

/** A session that meets an error ends, and the member is asked anew. */
const PSQL =
  "setpriv --reuid=postgres --regid=postgres --init-groups stdbuf -oL psql -XAtq -v ON_ERROR_STOP=1 -h /var/run/postgresql";
const PROBE_MS = 100;
const RETRY_MS = 250;

const REPLICA = "replica";

/** Whoever is no replica by its own word is asked to write. */
const PROBE = `select pg_is_in_recovery() as replica \\gset
\\if :replica
\\echo ${REPLICA}
\\else
insert into chaos_probe values (default) returning substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8);
\\endif`;

/** On a replica the timeline is that of the WAL which it receives, or else of its last checkpoint. */
const STATE = `select pg_is_in_recovery(),
  case when pg_is_in_recovery()
    then coalesce((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint()))
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end,
  (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end) - '0/0'::pg_lsn;`;
