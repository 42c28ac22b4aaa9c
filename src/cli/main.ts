import { Refusal } from "../operator/cluster";
import { makeProgram } from "./program";

makeProgram()
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof Refusal ? 2 : 1;
  });
