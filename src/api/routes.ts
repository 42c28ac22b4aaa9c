import type { FastifyInstance, FastifyReply } from "fastify";
import type { z } from "zod";
import type { Cluster } from "../operator/cluster";
import { considerFailover, performFailover, type FailoverRequest } from "../operator/failover";
import {
  performPause,
  performReinit,
  performReload,
  performRestart,
  type RestartRequest,
} from "../operator/members";
import {
  considerSwitchover,
  performSwitchover,
  revokeSwitchover,
  type SwitchoverRequest,
} from "../operator/switchover";
import { measured, whileMeasured, type Measured } from "../probe/measure";
import type { ProbeTarget } from "../probe/probe";
import { duration } from "../probe/report";
import type { Live, Message } from "./live";
import type { PowerSwitch } from "./power";
import * as shapes from "./schemas";

export interface ApiOptions {
  readonly live: Live;
  /** The cluster's members. */
  readonly members: readonly string[];
  /**
   * Opens connections of their own for one change, so that the hosts' locks end with it.
   * @param verb shown to whoever finds a host locked.
   */
  open(verb: string, say: (message: string) => void): Cluster & { close(): void };
  probeTarget(): ProbeTarget;
  /** In a lab only. */
  readonly power?: PowerSwitch;
}

/** A silent connection is taken for a dead one by what stands between; a comment now and then keeps it. */
const BEAT_MS = 15_000;

export function addRoutes(app: FastifyInstance, options: ApiOptions): void {
  addLooks(app, options);
  addLeadChanges(app, options);
  addMemberChanges(app, options);
  if (options.power) addPower(app, options.live, options.power);
}

function addLooks(app: FastifyInstance, { live }: ApiOptions): void {
  app.get("/api/v1/status", describe("The cluster as it is now.", shapes.status), () =>
    live.status(),
  );
  app.get("/api/v1/probe", describe("Writes and reads so far.", shapes.probe), () => ({
    running: live.probing() !== undefined,
    report: live.probeReport(),
  }));
  app.put<{ Body: z.infer<typeof shapes.probeRequest> }>(
    "/api/v1/probe",
    changing(
      "Begins to write and read through the entry point, or ends it.",
      shapes.probe,
      shapes.probeRequest,
    ),
    ({ body }) => ({
      running: live.probing(body.running) !== undefined,
      report: live.probeReport(),
    }),
  );
  app.get(
    "/api/v1/events",
    {
      // It would never end.
      exposeHeadRoute: false,
      schema: {
        summary: "What happens, pushed as it happens: server-sent events.",
        description: "Types: status, event, probe, operation, and in a lab power.",
        produces: ["text/event-stream"],
      },
    },
    (_request, reply) => stream(live, reply),
  );
}

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
function stream(live: Live, reply: FastifyReply): void {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { ...reply.getHeaders(), "content-type": "text/event-stream" } as never);
  const send = ({ type, data }: Message) =>
    raw.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  const end = live.subscribe(send);
  const beat = setInterval(() => raw.write(":\n\n"), BEAT_MS);
  raw.on("close", () => {
    clearInterval(beat);
    end();
  });
}

function addLeadChanges(app: FastifyInstance, options: ApiOptions): void {
  app.get<{ Querystring: SwitchoverRequest }>(
    "/api/v1/switchover",
    describe(
      "What a switchover would do now, and what speaks against it.",
      shapes.intent,
      shapes.switchoverRequest,
    ),
    ({ query }) => looking(options, (cluster) => considerSwitchover(cluster, query)),
  );
  app.post<{ Body: SwitchoverRequest | null }>(
    "/api/v1/switchover",
    changing(
      "Hands the lead over; answers when the old leader streams from the new one.",
      shapes.switchoverOutcome,
      shapes.switchoverRequest,
    ),
    ({ body }) => {
      const request = body ?? {};
      const what = `switchover${request.to ? ` to ${request.to}` : ""}${request.at ? ` at ${request.at}` : ""}`;
      const work = (cluster: Cluster) => performSwitchover(cluster, request);
      return request.at === undefined
        ? measuring(options, what, work)
        : acting(options, what, work);
    },
  );
  app.delete(
    "/api/v1/switchover",
    changing("Takes a scheduled switchover back.", shapes.done),
    () => acting(options, "taking the switchover back", revokeSwitchover),
  );
  app.get<{ Querystring: FailoverRequest }>(
    "/api/v1/failover",
    describe(
      "What a failover would do now, and what speaks against it.",
      shapes.intent,
      shapes.failoverRequest,
    ),
    ({ query }) => looking(options, (cluster) => considerFailover(cluster, query)),
  );
  app.post<{ Body: FailoverRequest | null }>(
    "/api/v1/failover",
    changing(
      "Makes a member lead where none does.",
      shapes.failoverOutcome,
      shapes.failoverRequest,
    ),
    ({ body }) =>
      acting(options, `failover${body?.to ? ` to ${body.to}` : ""}`, (cluster) =>
        performFailover(cluster, body ?? {}),
      ),
  );
  app.put<{ Body: z.infer<typeof shapes.pauseRequest> }>(
    "/api/v1/pause",
    changing(
      "Leaves the cluster to itself, or takes it in hand again.",
      shapes.done,
      shapes.pauseRequest,
    ),
    ({ body: { paused } }) =>
      acting(options, paused ? "pause" : "resume", (cluster) => performPause(cluster, paused)),
  );
}

function addMemberChanges(app: FastifyInstance, options: ApiOptions): void {
  const params = {
    type: "object",
    properties: { member: { type: "string", enum: options.members } },
    required: ["member"],
  };
  const onMember = (summary: string, answer: z.ZodType, body?: z.ZodType) => {
    const { schema } = changing(summary, answer, body);
    return { schema: { ...schema, params } };
  };
  app.post<{ Params: { member: string }; Body: RestartRequest | null }>(
    "/api/v1/members/:member/restart",
    onMember(
      "Restarts PostgreSQL; a replica is drained before.",
      shapes.durationOutcome,
      shapes.restartRequest,
    ),
    ({ params: { member }, body }) =>
      measuring(options, `restart of ${member}`, (cluster) =>
        performRestart(cluster, member, body ?? {}),
      ),
  );
  app.post<{ Params: { member: string } }>(
    "/api/v1/members/:member/reload",
    onMember("Makes Patroni and PostgreSQL read their files again.", shapes.done),
    ({ params: { member } }) =>
      acting(options, `reload of ${member}`, (cluster) => performReload(cluster, member)),
  );
  app.post<{ Params: { member: string }; Body: z.infer<typeof shapes.reinitRequest> }>(
    "/api/v1/members/:member/reinit",
    onMember(
      "Deletes a replica's data and copies it anew.",
      shapes.durationOutcome,
      shapes.reinitRequest,
    ),
    async ({ params: { member }, body }, reply) => {
      if (body.confirm !== member) {
        return reply
          .code(400)
          .send({ error: `confirm: expected "${member}", got "${body.confirm}".` });
      }
      return acting(options, `new copy on ${member}`, (cluster) => performReinit(cluster, member));
    },
  );
}

function addPower(app: FastifyInstance, live: Live, power: PowerSwitch): void {
  app.get("/api/v1/lab/hosts", describe("The lab's hosts.", shapes.power), () => power.states());
  app.put<{ Params: { host: string }; Body: z.infer<typeof shapes.powerRequest> }>(
    "/api/v1/lab/hosts/:host/power",
    changing("Cuts a host's power, or starts it again.", shapes.power, shapes.powerRequest),
    async ({ params: { host }, body: { on } }, reply) => {
      if (!Object.hasOwn(power.states(), host)) {
        return reply.code(404).send({ error: `${host}: the lab has no such host.` });
      }
      live.note(on ? `${host}: power on.` : `${host}: the plug is pulled.`, on ? "note" : "bad");
      await power.turn(host, on);
      return power.states();
    },
  );
}

/** Something that takes connections of its own and changes nothing. */
async function looking<T>(
  { open }: ApiOptions,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = open("look", () => undefined);
  try {
    return await work(cluster);
  } finally {
    cluster.close();
  }
}

function acting<T>(
  { live, open }: ApiOptions,
  what: string,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T | object> {
  return live.act(what, async (say) => {
    const cluster = open(what, say);
    try {
      return (await work(cluster)) ?? {};
    } finally {
      cluster.close();
    }
  });
}

/** The same with what it cost those who write, by the probe that is running or one for this time. */
async function measuring<T>(
  options: ApiOptions,
  what: string,
  work: (cluster: Cluster) => Promise<T>,
): Promise<object> {
  const { live } = options;
  const done = await live.act(what, (say) => {
    const cluster = options.open(what, say);
    const running = live.probing();
    const all = async () => work(cluster).finally(() => cluster.close());
    return running ? measured(running, all) : whileMeasured(() => options.probeTarget(), all);
  });
  live.note(`${what} is done. ${cost(done)}`, "good");
  const { result, interruption, unmeasured } = done;
  return { ...result, interruption, unmeasured };
}

function cost({ interruption, unmeasured }: Measured<unknown>): string {
  if (unmeasured !== undefined) return "How long writes stood still was not measured.";
  if (!interruption) return "No write was interrupted.";
  return `Writes stood still for ${duration(interruption.ms)}.`;
}

function describe(summary: string, answer: z.ZodType, query?: z.ZodType) {
  return {
    schema: {
      summary,
      ...(query && { querystring: shapes.jsonSchema(query) }),
      response: {
        200: shapes.jsonSchema(answer),
        "4xx": shapes.jsonSchema(shapes.problem),
        "5xx": shapes.jsonSchema(shapes.problem),
      },
    },
  };
}

function changing(summary: string, answer: z.ZodType, body?: z.ZodType) {
  const { schema } = describe(summary, answer);
  return { schema: { ...schema, ...(body && { body: shapes.jsonSchema(body) }) } };
}
