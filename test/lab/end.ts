import { down } from "../../src/lab/down";
import { LAB } from "./cluster/lab";

/** After the last file: ends the cluster that those of test/lab/cluster share, unless somebody works on them. */
export default function setup(): () => Promise<void> {
  return async () => {
    if (!process.env.PGHERD_TEST_KEEP) await down(LAB);
  };
}
