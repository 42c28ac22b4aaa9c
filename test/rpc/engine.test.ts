import { setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import messages from "@pulumi/pulumi/proto/engine_pb";
import { expect, onTestFinished, test, vi } from "vitest";
import { connectEngine } from "../../src/rpc/engine";

test("messages are shown in the order in which they were told, however long each takes", async () => {
  const shown: string[] = [];
  const server = new grpc.Server();
  onTestFinished(() => server.forceShutdown());
  server.addService({ log: (EngineService as unknown as grpc.ServiceDefinition).log } as never, {
    log: (
      call: grpc.ServerUnaryCall<messages.LogRequest, Empty>,
      answer: grpc.sendUnaryData<Empty>,
    ) => {
      const message = call.request.getMessage();
      void sleep(message === "first" ? 100 : 0).then(() => {
        shown.push(message);
        answer(null, new Empty());
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const log = connectEngine(`127.0.0.1:${port}`);
  log.info("urn", "first");
  log.info("urn", "second");
  log.warning("urn", "third");
  await vi.waitFor(() => expect(shown).toEqual(["first", "second", "third"]));
});
