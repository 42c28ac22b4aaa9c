import type { FastifyInstance } from "fastify";
import { catalogOf, failedChecks, proveBackup, takeBackup } from "../cluster/backups";
import { beside, looking } from "./acts";
import { changing, describe } from "./describe";
import type { ApiOptions } from "./options";
import * as shapes from "./backup-schemas";

/** What can be asked of the backups, and done with them; only where the stack has some. */
export function addBackups(app: FastifyInstance, options: ApiOptions): void {
  app.get("/api/v1/backups", describe("What Barman keeps, the newest first.", shapes.backups), () =>
    looking(options, async (cluster) => {
      const { backups, taking, nextBackupAt, verifications, now } = await catalogOf(cluster);
      return { backups, taking, nextBackupAt, verifications, now };
    }),
  );
  app.get("/api/v1/backups/checks", describe("Barman's own checks.", shapes.checks), () =>
    looking(options, async (cluster) => {
      const failed = await failedChecks(cluster);
      return { ok: failed.length === 0, failed };
    }),
  );
  app.post(
    "/api/v1/backups",
    changing("Takes a backup; answers when it is complete.", shapes.backup),
    () => beside(options, "backup", takeBackup),
  );
  app.post(
    "/api/v1/backups/verify",
    changing(
      "Restores the newest backup beside the others, and answers what came of it.",
      shapes.verification,
    ),
    () => beside(options, "test restore", proveBackup),
  );
}
