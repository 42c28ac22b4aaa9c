import type { FastifyInstance } from "fastify";
import type { Cluster } from "../cluster/cluster";
import { createFork, listForks, removeFork, type ForkRequest } from "../cluster/forks";
import { beside, looking } from "./acts";
import { changing, describe } from "./describe";
import * as shapes from "./fork-schemas";
import type { ApiOptions } from "./options";
import { jsonSchema } from "./schemas";

/** Forks: none takes anything away from the cluster. Their passwords are asked for by `pgherd fork password`. */
export function addForks(app: FastifyInstance, options: ApiOptions): void {
  const { forks } = options;
  const withForks = (cluster: Cluster) => ({ ...cluster, forks });
  app.get(
    "/api/v1/forks",
    describe("All forks, and how much of the disk each has taken for itself.", shapes.forks),
    () => looking(options, (cluster) => listForks(withForks(cluster))),
  );
  app.post<{ Body: ForkRequest }>(
    "/api/v1/forks",
    changing(
      "Makes a fork: a copy of now; answers when it takes connections.",
      shapes.madeFork,
      shapes.forkRequest,
    ),
    ({ body }) =>
      beside(options, `fork ${body.name}`, (cluster) => createFork(withForks(cluster), body)),
  );
  app.delete<{ Params: { name: string } }>(
    "/api/v1/forks/:name",
    named(changing("Removes a fork and all that was written on it.", shapes.removedFork)),
    ({ params: { name } }) =>
      beside(options, `removal of the fork ${name}`, async (cluster) => ({
        removedFrom: await removeFork(withForks(cluster), name),
      })),
  );
}

/** The same of a route for one fork: what cannot be a fork's name is refused before a host is asked. */
function named<T extends object>({ schema }: { readonly schema: T }) {
  return { schema: { ...schema, params: jsonSchema(shapes.forkParams) } };
}
