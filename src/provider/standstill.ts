// For src/provider/rolling-restart.ts.
export { whyNotWait } from "../cluster/standstill";
