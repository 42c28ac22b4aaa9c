import { expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type * as schemas from "../../src/api/schemas";
import type { Intent } from "../../src/cluster/cluster";
import type { FailoverOutcome } from "../../src/cluster/failover";
import type { History } from "../../src/cluster/history";
import type { SwitchoverOutcome } from "../../src/cluster/switchover";
import type { Sessions } from "../../src/facts/activity";
import type { ClusterStatus } from "../../src/operations/status";
import type { ProbeReport } from "../../src/probe/report";

/** Every key that a value may have, `dcs.members.alarms` by its path. */
type Keys<T> = T extends readonly (infer Item)[]
  ? Keys<Item>
  : T extends object
    ? { [K in keyof T & string]: K | `${K}.${Keys<T[K]>}` }[keyof T & string]
    : never;

/** What is in an answer and not in the shape that the document gives it. */
type Untold<Answer, Shape extends z.ZodType> = Exclude<Keys<Answer>, Keys<z.infer<Shape>>>;

// The server sends what it has, whatever the shapes say. Types are looked at by `npm run check`.
test("the document of the API tells all that an answer has", () => {
  expectTypeOf<Untold<Omit<ClusterStatus, "backup">, typeof schemas.status>>().toBeNever();
  expectTypeOf<Untold<{ report: ProbeReport }, typeof schemas.probe>>().toBeNever();
  expectTypeOf<Untold<History, typeof schemas.history>>().toBeNever();
  expectTypeOf<Untold<Sessions, typeof schemas.sessions>>().toBeNever();
  expectTypeOf<Untold<Intent, typeof schemas.intent>>().toBeNever();
  expectTypeOf<Untold<SwitchoverOutcome, typeof schemas.switchoverOutcome>>().toBeNever();
  expectTypeOf<Untold<FailoverOutcome, typeof schemas.failoverOutcome>>().toBeNever();
});
