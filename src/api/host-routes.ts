import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { readLog } from "../cluster/logs";
import { looking } from "./acts";
import { changing, describe, of } from "./describe";
import type { Live } from "./live";
import type { ApiOptions } from "./options";
import type { PowerSwitch } from "./power";
import * as shapes from "./schemas";

/** What can be asked of a host, and in a lab done to it. */
export function addHosts(app: FastifyInstance, options: ApiOptions): void {
  addLogs(app, options);
  if (options.power) addPower(app, options.live, options.power);
}

const LINES = 100;
/** Characters of a line; PostgreSQL logs statements as long as they are. */
const LINE_CHARACTERS = 2000;

function addLogs(app: FastifyInstance, options: ApiOptions): void {
  app.get<{ Params: { host: string }; Querystring: z.infer<typeof shapes.logsQuery> }>(
    "/api/v1/hosts/:host/logs",
    of(
      "host",
      Object.keys(options.daemons),
      describe("What its daemons have said.", shapes.logs, shapes.logsQuery),
    ),
    async ({ params: { host }, query: { daemon, lines = LINES } }, reply) => {
      const daemons = options.daemons[host] ?? [];
      if (daemon !== undefined && !daemons.includes(daemon)) {
        const error = `daemon: expected one of ${daemons.join(", ")} on ${host}, got "${daemon}".`;
        return reply.code(400).send({ error });
      }
      const wanted = daemon === undefined ? daemons : [daemon];
      const said = await looking(options, (cluster) => readLog(cluster, host, wanted, { lines }));
      return {
        daemons,
        lines: said.lines.slice(-lines).map(({ at, unit, text }) => ({
          at: new Date(at).toISOString(),
          unit,
          text: text.length > LINE_CHARACTERS ? `${text.slice(0, LINE_CHARACTERS)}…` : text,
        })),
      };
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
