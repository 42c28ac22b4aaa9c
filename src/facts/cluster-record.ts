import type { Probe } from "../host/host";
import { CLUSTER_RECORD } from "./host";

/** The cluster that pgherd has made the host a part of; empty for none. */
export const clusterRecordProbe: Probe<string> = {
  script: `if [ -e ${CLUSTER_RECORD} ]; then cat ${CLUSTER_RECORD}; fi`,
  parse: (output) => output.trim(),
};
