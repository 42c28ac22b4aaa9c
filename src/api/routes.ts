import type { FastifyInstance, FastifyReply } from "fastify";
import type { z } from "zod";
import type { Cluster } from "../cluster/cluster";
import { considerFailover, performFailover, type FailoverRequest } from "../cluster/failover";
import { performPause } from "../cluster/members";
import {
  considerSwitchover,
  performSwitchover,
  revokeSwitchover,
  type SwitchoverRequest,
} from "../cluster/switchover";
import { acting, looking, measuring } from "./acts";
import { addBackups } from "./backup-routes";
import { changing, describe } from "./describe";
import { addForks } from "./fork-routes";
import { addHosts } from "./host-routes";
import type { Live, Message } from "./live";
import { addMembers } from "./member-routes";
import type { ApiOptions } from "./options";
import { addRestores } from "./restore-routes";
import * as shapes from "./schemas";

/** A silent connection is taken for a dead one by what stands between; a comment now and then keeps it. */
const BEAT_MS = 15_000;

export function addRoutes(app: FastifyInstance, options: ApiOptions): void {
  addLooks(app, options);
  addLeadChanges(app, options);
  addMembers(app, options);
  addHosts(app, options);
  addForks(app, options);
  if (!options.restores) return;
  addBackups(app, options);
  addRestores(app, options, options.restores);
}

function addLooks(app: FastifyInstance, { live, history }: ApiOptions): void {
  app.get("/api/v1/status", describe("The cluster as it is now.", shapes.status), () =>
    live.status(),
  );
  app.get(
    "/api/v1/history",
    describe("What has changed the cluster, the oldest first.", shapes.history),
    () => history(),
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
        querystring: shapes.jsonSchema(shapes.nothing),
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
