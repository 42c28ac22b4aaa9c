import { once } from "node:events";
import { openCluster } from "../../src/cli/cluster";

// A run that changes a host, hears nothing of the world for as long as its test likes, and wants to change it again:
//   node run.cjs sleeper HOST FILE
// Each change makes a file on the host: FILE.first before it says `first`, FILE.second once its standard input ends.

const [host = "", file = ""] = process.argv.slice(2);
const cluster = openCluster({ stack: "lab" }, "sleeper");
const touch = (which: string) => cluster.host(host).change("touching", `touch ${file}.${which}`);

async function work(): Promise<void> {
  await touch("first");
  process.stdout.write(`first ${process.pid}\n`);
  process.stdin.resume();
  await once(process.stdin, "end");
  await touch("second");
}

work()
  .then(() => process.stdout.write("second\n"))
  .catch((error: Error) => process.stdout.write(`${error.message}\n`))
  .finally(() => cluster.close());
