import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import messages from "@pulumi/pulumi/proto/provider_pb";
import { listen, type Provider } from "../../src/rpc/server";
import { fromStruct, toStruct, type Values } from "../../src/rpc/values";

/** Calls a provider as the engine does, through its gRPC server. */
export interface ProviderClient {
  check(inputs: Values): Promise<{ inputs: Values; failures: { [property: string]: string } }>;
  /** The changed paths with how they change, as numbers of `PropertyDiff.Kind`, and what they replace. */
  diff(
    state: Values,
    inputs: Values,
  ): Promise<{ changes: string[]; replaces: string[]; deleteBeforeReplace: boolean }>;
  create(inputs: Values, preview?: boolean): Promise<{ id: string; state: Values }>;
  read(id: string, state: Values): Promise<{ id: string; state: Values; inputs: Values }>;
  update(id: string, state: Values, inputs: Values, preview?: boolean): Promise<Values>;
  delete(id: string, state: Values): Promise<void>;
  cancel(): Promise<void>;
  close(): void;
}

/** @param type the type token of the resource that the calls are about, e.g. `command:local:Command`. */
export async function serveFor(provider: Provider, type: string): Promise<ProviderClient> {
  const { server, port } = await listen(provider, "0.0.0");
  const client = new ResourceProviderClient(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
  ) as unknown as Raw;
  const urn = `urn:pulumi:test::project::${type}::thing`;

  function call<Response>(method: string, request: object): Promise<Response> {
    return new Promise((resolve, reject) =>
      client[method]!(request, (error, response) =>
        error ? reject(new Error(error.details)) : resolve(response as Response),
      ),
    );
  }
  function about<Request extends About>(request: Request): Request {
    request.setUrn(urn);
    request.setType(type);
    return request;
  }

  return {
    async check(inputs) {
      const request = about(new messages.CheckRequest());
      request.setNews(toStruct(inputs));
      const response = await call<messages.CheckResponse>("check", request);
      return {
        inputs: fromStruct(response.getInputs()),
        failures: Object.fromEntries(
          response.getFailuresList().map((each) => [each.getProperty(), each.getReason()]),
        ),
      };
    },
    async diff(state, inputs) {
      const request = about(new messages.DiffRequest());
      request.setOlds(toStruct(state));
      request.setNews(toStruct(inputs));
      const response = await call<messages.DiffResponse>("diff", request);
      return {
        changes: response.getDiffsList(),
        replaces: response.getReplacesList(),
        deleteBeforeReplace: response.getDeletebeforereplace(),
      };
    },
    async create(inputs, preview = false) {
      const request = about(new messages.CreateRequest());
      request.setProperties(toStruct(inputs));
      request.setPreview(preview);
      const response = await call<messages.CreateResponse>("create", request);
      return { id: response.getId(), state: fromStruct(response.getProperties()) };
    },
    async read(id, state) {
      const request = about(new messages.ReadRequest());
      request.setId(id);
      request.setProperties(toStruct(state));
      const response = await call<messages.ReadResponse>("read", request);
      return {
        id: response.getId(),
        state: fromStruct(response.getProperties()),
        inputs: fromStruct(response.getInputs()),
      };
    },
    async update(id, state, inputs, preview = false) {
      const request = about(new messages.UpdateRequest());
      request.setId(id);
      request.setOlds(toStruct(state));
      request.setNews(toStruct(inputs));
      request.setPreview(preview);
      return fromStruct((await call<messages.UpdateResponse>("update", request)).getProperties());
    },
    async delete(id, state) {
      const request = about(new messages.DeleteRequest());
      request.setId(id);
      request.setProperties(toStruct(state));
      await call("delete", request);
    },
    async cancel() {
      await call("cancel", new Empty());
    },
    close() {
      server.forceShutdown();
    },
  };
}

interface About {
  setUrn(urn: string): unknown;
  setType(type: string): unknown;
}

type Raw = {
  [method: string]: (
    request: object,
    done: (error: grpc.ServiceError | null, response: unknown) => void,
  ) => void;
};

/** A secret as the engine writes it. */
export function secret(value: string): Values {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}
