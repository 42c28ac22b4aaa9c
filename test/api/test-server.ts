import type { FastifyInstance } from "fastify";
import type { AuditEntry } from "../../src/api/audit";
import { Live } from "../../src/api/live";
import { createServer } from "../../src/api/server";
import { newToken } from "../../src/api/token";
import type { Host, Probe } from "../../src/host/host";
import type { Cluster, OperatorPlan } from "../../src/cluster/cluster";
import { forkRules } from "../../src/cli/fork-rules";
import { requestOf } from "../../src/cli/restore";
import { rawStack } from "../../src/cli/stack";
import { parseSettings } from "../../src/config/parse";
import type { BackupStatusPlan } from "../../src/operations/backup-status";
import type { RestorableCluster } from "../../src/cluster/restore-plan";
import { PLAN } from "../operations/answers";

// The API with everything but the hosts: of these none answers.

export const TOKEN = newToken();

/** The lab's settings, with a fork that the stack makes itself. */
const STACK = (() => {
  const raw = rawStack("lab");
  const forks = [{ name: "staging", port: 5440 }];
  return { ...raw, cluster: { ...(raw.cluster as object), forks } };
})();

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

function saying(
  name: string,
  says: (host: string, script: string) => string,
  served: () => Pick<TestServer, "changed">,
): Host {
  const observe = async <T>({ script, parse }: Probe<T>) => parse(says(name, script));
  const change = async (action: string) => {
    served().changed(name, action);
    return "";
  };
  return { observe, change } as unknown as Host;
}

export interface TestServer {
  readonly app: FastifyInstance;
  readonly live: Live;
  readonly audited: AuditEntry[];
  readonly refused: AuditEntry[];
  /** What was asked of the power switches. */
  readonly turned: [host: string, on: boolean][];
  /** Called with each change of a host. */
  changed(host: string, action: string): void;
  /** As when the server is to stop. */
  readonly ending: AbortController;
  close(): Promise<void>;
}

/**
 * @param names of the server, beside those that it has anyway.
 * @param says what a host prints for a script; no host answers without it.
 * @param backup where the stack has backups.
 */
export async function testServer(
  names: readonly string[] = [],
  says?: (host: string, script: string) => string,
  backup?: BackupStatusPlan,
): Promise<TestServer> {
  const audited: AuditEntry[] = [];
  const refused: AuditEntry[] = [];
  const turned: [string, boolean][] = [];
  const ending = new AbortController();
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
    forks: forkRules("lab", parseSettings(STACK), STACK),
    history: async () => ({ events: [], missing: ["db1: Patroni does not answer."] }),
    open: () =>
      says
        ? {
            ...{ ...cluster, plan: { ...plan, backup } },
            host: (host) => saying(host, says, () => served),
          }
        : cluster,
    ...(backup && {
      restores: {
        of: async (opened) => ({ ...opened, renew: () => undefined }) as RestorableCluster,
        requestOf,
      },
    }),
    ending: ending.signal,
    audit: (entry) => audited.push(entry),
    auditRefused: (entry) => refused.push(entry),
  });
  const close = async () => {
    live.close();
    await app.close();
  };
  const changed = () => undefined;
  const served: TestServer = { app, live, audited, refused, turned, changed, ending, close };
  return served;
}
