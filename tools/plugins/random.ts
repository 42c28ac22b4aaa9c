import { serve } from "../../src/rpc/server";
import { randomProvider, VERSION } from "./random-provider";

void serve(randomProvider, VERSION);
