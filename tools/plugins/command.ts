import { connectEngine } from "../../src/rpc/engine";
import { serve } from "../../src/rpc/server";
import { commandProvider, VERSION } from "./command-provider";

// The engine passes its address as the last argument.
const address = process.argv.length > 2 ? process.argv.at(-1) : undefined;
void serve(commandProvider(address ? connectEngine(address) : undefined), VERSION);
