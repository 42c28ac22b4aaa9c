import type { FastifyInstance } from "fastify";
import type { AuditEntry } from "../../src/api/audit";
import { Live } from "../../src/api/live";
import { createServer } from "../../src/api/server";
import { newToken } from "../../src/api/token";
import type { Host, Probe } from "../../src/host/host";
import type { Cluster, OperatorPlan } from "../../src/cluster/cluster";
import { PLAN } from "../operations/answers";

// The API with everything but the hosts: of these none answers.

export const TOKEN = newToken();

const plan: OperatorPlan = {
  ...PLAN,
  patroni: {
    ...PLAN.patroni,
    neverLead: [],
    rolling: { maximumLag: 1, longestTransaction: 15, drain: 15 },
  },
};

const cluster: Cluster & { close(): void } = {
  plan,
  host: () => ({ observe: () => Promise.reject(new Error("away")) }) as unknown as Host,
  progress: () => undefined,
  close: () => undefined,
};

function saying(name: string, says: (host: string, script: string) => string): Host {
  const observe = async <T>({ script, parse }: Probe<T>) => parse(says(name, script));
  return { observe } as unknown as Host;
}

export interface TestServer {
  readonly app: FastifyInstance;
  readonly live: Live;
  readonly audited: AuditEntry[];
  readonly refused: AuditEntry[];
  /** What was asked of the power switches. */
  readonly turned: [host: string, on: boolean][];
  close(): Promise<void>;
}

/**
 * @param names of the server, beside those that it has anyway.
 * @param says what a host prints for a script; no host answers without it.
 */
export async function testServer(
  names: readonly string[] = [],
  says?: (host: string, script: string) => string,
): Promise<TestServer> {
  const audited: AuditEntry[] = [];
  const refused: AuditEntry[] = [];
  const turned: [string, boolean][] = [];
  const power = {
    states: () => ({ db1: "up" }) as const,
    turn: async (host: string, on: boolean) => void turned.push([host, on]),
  };
  const probeTarget = () => {
    throw new Error("no outputs");
  };
  const live = new Live({ cluster, probeTarget, power });
  const app = await createServer({
    ...{ live, probeTarget, power, names, token: TOKEN },
    members: ["db1", "db2", "db3"],
    daemons: { db1: ["patroni", "etcd"], lb1: ["haproxy", "keepalived"] },
    history: async () => ({ events: [], missing: ["db1: Patroni does not answer."] }),
    open: () => (says ? { ...cluster, host: (host) => saying(host, says) } : cluster),
    audit: (entry) => audited.push(entry),
    auditRefused: (entry) => refused.push(entry),
  });
  const close = async () => {
    live.close();
    await app.close();
  };
  return { app, live, audited, refused, turned, close };
}
