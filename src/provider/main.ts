import { serve } from "../rpc/server";
import { version } from "../../package.json";
import { pgherdProvider } from "./provider";

void serve(pgherdProvider(process.argv[2]), version);
