import * as grpc from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/engine_pb";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";

/** Writes to the engine's display, next to the resource that a message is about. */
export interface EngineLog {
  /** Shown beside the resource while it is worked on, and gone afterwards: `waiting for a leader`. */
  progress(urn: string, message: string): void;
  /** Kept in the output of the run. Resolves once it stands there. */
  info(urn: string, message: string): Promise<void>;
  warning(urn: string, message: string): void;
}

/** @param address where the engine listens: the first argument that it starts a plugin with. */
export function connectEngine(address: string): EngineLog {
  const client = new EngineClient(address, grpc.credentials.createInsecure());
  let told = Promise.resolve();
  const log = (urn: string, message: string, severity: number, ephemeral: boolean) => {
    const request = new messages.LogRequest();
    request.setSeverity(severity as messages.LogSeverity);
    request.setUrn(urn);
    request.setMessage(message);
    request.setEphemeral(ephemeral);
    // One after the other, since calls that overtake each other would be shown in any order. A message that cannot be shown
    // is no reason to stop working on a database.
    told = told.then(() => new Promise<void>((resolve) => client.log(request, () => resolve())));
    return told;
  };
  return {
    progress: (urn, message) => void log(urn, message, messages.LogSeverity.INFO, true),
    info: (urn, message) => log(urn, message, messages.LogSeverity.INFO, false),
    warning: (urn, message) => void log(urn, message, messages.LogSeverity.WARNING, false),
  };
}
