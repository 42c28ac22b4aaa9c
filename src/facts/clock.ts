import type { Probe } from "../host/host";

/** The host's time in seconds since 1970, fractions included. */
export const clockProbe: Probe<number> = {
  script: "date +%s.%N",
  parse: Number,
};
