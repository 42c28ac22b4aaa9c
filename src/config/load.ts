import * as pulumi from "@pulumi/pulumi";
import { parseSettings } from "./parse";
import type { Settings } from "./schema";

/**
 * The settings of the stack that the program runs for.
 * @throws ConfigError with every problem there is.
 */
export function loadSettings(): Settings {
  const config = new pulumi.Config("pgherd");
  const raw = {
    hosts: config.getObject("hosts"),
    ssh: config.getObject("ssh"),
    cluster: config.getObject("cluster"),
  };
  return parseSettings(raw);
}
