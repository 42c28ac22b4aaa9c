import { CommanderError } from "commander";
import { UsageError } from "../errors";
import { Refusal } from "../cluster/cluster";
import { makeProgram } from "./program";
import { printable } from "./table";

makeProgram()
  .parseAsync()
  .catch((error: unknown) => {
    // What was said wrongly has been told by then, and help and version have been printed.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(
        `${printable(error instanceof Error ? error.message : String(error))}\n`,
      );
      process.exitCode = error instanceof Refusal || error instanceof UsageError ? 2 : 1;
    }
  });
