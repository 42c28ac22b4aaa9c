import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { considerRestart, performRestart, type RestartRequest } from "../cluster/restart";
import { considerReinit, performReinit, performReload } from "../cluster/members";
import { readSessions } from "../cluster/sessions";
import { acting, looking, measuring } from "./acts";
import { changing, describe, of } from "./describe";
import type { ApiOptions } from "./options";
import * as shapes from "./schemas";

/** What can be asked of a member, and done to it. */
export function addMembers(app: FastifyInstance, options: ApiOptions): void {
  const onMember = (...told: Parameters<typeof changing>) =>
    of("member", options.members, changing(...told));
  const ofMember = (...told: Parameters<typeof describe>) =>
    of("member", options.members, describe(...told));
  app.get<{ Params: { member: string } }>(
    "/api/v1/members/:member/sessions",
    ofMember("Who is connected to it, by what they have in common.", shapes.sessions),
    ({ params: { member } }) => looking(options, (cluster) => readSessions(cluster, member)),
  );
  app.get<{ Params: { member: string }; Querystring: { pendingOnly?: boolean } }>(
    "/api/v1/members/:member/restart",
    ofMember(
      "What a restart would do now, and what speaks against it.",
      shapes.intent,
      shapes.restartQuery,
    ),
    ({ params: { member }, query }) =>
      looking(options, (cluster) => considerRestart(cluster, member, query)),
  );
  app.get<{ Params: { member: string } }>(
    "/api/v1/members/:member/reinit",
    ofMember("What a new copy would do now, and what speaks against it.", shapes.intent),
    ({ params: { member } }) => looking(options, (cluster) => considerReinit(cluster, member)),
  );
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
