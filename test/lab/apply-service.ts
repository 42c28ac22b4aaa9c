import { readFileSync } from "node:fs";
import { service } from "../../src/provider/service";
import type { ServiceInputs } from "../../src/resources/inputs/service";
import { apply } from "./apply";

// Gives a daemon of a lab host other files than the plan's: they stand as JSON on standard input, with the host and the
// daemon.

apply((context, cluster) =>
  service.apply(context, "service", {
    ...{ cluster, directories: {} },
    ...{ unit: { active: "active", enabled: "enabled", configuration: "loaded" } },
    ...(JSON.parse(readFileSync(0, "utf8")) as Pick<ServiceInputs, "host" | "daemon" | "files">),
  }),
);
