import { CommanderError } from "commander";
import { UsageError } from "../errors";
import { Refusal } from "../cluster/cluster";
import { makeProgram } from "./program";
import { printable } from "./table";

/** As shells tell of a program that SIGPIPE has ended (signal(7)), which Node.js ignores. */
const NOBODY_READS = 128 + 13;

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(NOBODY_READS);
  throw error;
});

makeProgram(process.argv.slice(2))
  .then((program) => program.parseAsync())
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
