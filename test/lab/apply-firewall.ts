import { readFileSync } from "node:fs";
import { firewall } from "../../src/provider/firewall";
import { apply } from "./apply";

// Gives a lab host other rules than the plan's: the host is named by the first argument, the body of the table stands on
// standard input. Prints what is there then.

apply(async (context, cluster) => {
  const state = await firewall.apply(context, "firewall", {
    cluster,
    host: process.argv[2] ?? "",
    rules: readFileSync(0, "utf8"),
    loaded: "active",
    enabled: "enabled",
  });
  process.stdout.write(`${JSON.stringify(state)}\n`);
});
