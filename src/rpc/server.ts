import * as grpc from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import plugin from "@pulumi/pulumi/proto/plugin_pb";
import messages from "@pulumi/pulumi/proto/provider_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import status from "@pulumi/pulumi/proto/status_pb";
import { fromStruct, toStruct, type Values } from "./values";

/** Which resource a call is about. */
export interface ResourceId {
  /** e.g. `urn:pulumi:lab::pgherd::pgherd:index:Service::demo-db1-etcd` */
  readonly urn: string;
  /** The type token, e.g. `pgherd:index:Service`. */
  readonly type: string;
  /** Seconds the user allows for this call (`customTimeouts`), or 0 where nothing was said. */
  readonly timeoutSeconds: number;
}

/** A property that `check` refuses, and why. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

/** What `diff` found. Paths are like `files["/etc/haproxy/haproxy.cfg"].content`. */
export interface Diff {
  /** Paths that differ, each with how it differs. None: nothing changes. */
  readonly changes: { readonly [path: string]: "add" | "update" | "delete" | "replace" };
  /**
   * Whether the old resource goes before its replacement comes.
   * @default true: what is replaced lives on one host, which cannot hold the old and the new one at once.
   */
  readonly deleteBeforeReplace?: boolean;
}

/**
 * A Pulumi resource provider, spoken by the engine over gRPC (pulumi/proto/provider.proto).
 *
 * Served here rather than by `@pulumi/pulumi/provider` because that has no configuration, no preview of create and
 * update, and no detailed diff (SDK 3.248).
 */
export interface Provider {
  /** Whether secrets come wrapped. If not, the engine itself marks outputs named like secret inputs as secret. */
  readonly acceptSecrets?: boolean;
  /**
   * The provider's own inputs as they are recorded.
   * @default as they were given
   */
  checkConfig?(inputs: Values, oldInputs: Values): Promise<Values>;
  /**
   * How its own inputs differ from the recorded ones. Where it says that they do not, the engine goes on with those.
   * @default not at all
   */
  diffConfig?(oldInputs: Values, inputs: Values): Promise<Diff>;
  configure(args: Values): Promise<void>;
  check(
    id: ResourceId,
    inputs: Values,
    oldInputs: Values,
    randomSeed: Uint8Array,
  ): Promise<{ inputs: Values; failures?: CheckFailure[] }>;
  diff(id: ResourceId, state: Values, inputs: Values, oldInputs: Values): Promise<Diff>;
  /** @param preview nothing may be changed; what is unknown as yet is left out of the state. */
  create(id: ResourceId, inputs: Values, preview: boolean): Promise<{ id: string; state: Values }>;
  /** The resource as it is now, or `undefined` only if it is known to be gone. */
  read(
    id: ResourceId,
    resource: string,
    state: Values,
    inputs: Values,
  ): Promise<{ id: string; state: Values; inputs: Values } | undefined>;
  update(
    id: ResourceId,
    resource: string,
    state: Values,
    inputs: Values,
    preview: boolean,
  ): Promise<Values>;
  delete(id: ResourceId, resource: string, state: Values): Promise<void>;
  /** The user pressed Ctrl-C twice: stop what is under way. */
  cancel(): Promise<void>;
}

/**
 * Thrown by create and update when the resource exists but does not work yet: the engine saves its state, and the next
 * update goes on from there.
 */
export class InitFailedError extends Error {
  constructor(
    readonly id: string,
    readonly state: Values,
    readonly reasons: readonly string[],
  ) {
    super(reasons.join("\n"));
  }
}

/**
 * Serves the provider on a free loopback port and prints the port on standard output, which is how the engine finds it.
 * Ends with the engine, even with a killed one, so that nothing goes on changing hosts behind the user's back.
 */
export async function serve(provider: Provider, version: string): Promise<void> {
  const { port } = await listen(provider, version);
  const end = () => void provider.cancel().finally(() => process.exit(0));
  // Not a terminal's Ctrl-C: the engine starts plugins in process groups of their own. It sends this when it is done, and
  // kills what has not ended within five seconds (cmdutil.InterruptChildren).
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const engine = process.ppid;
  setInterval(() => process.ppid !== engine && end(), PARENT_CHECK_MS).unref();
  process.stdout.write(`${port}\n`);
}

const PARENT_CHECK_MS = 1000;

/** Serves the provider on a free loopback port. */
export async function listen(
  provider: Provider,
  version: string,
): Promise<{ server: grpc.Server; port: number }> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  server.addService(ResourceProviderService as grpc.ServiceDefinition, methods(provider, version));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { server, port };
}

/** The engine's own limit (pulumi/sdk/go/common/util/rpcutil, MaxRPCMessageSize). */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

function methods(provider: Provider, version: string): grpc.UntypedServiceImplementation {
  const acceptSecrets = provider.acceptSecrets ?? false;
  return {
    handshake: unary(async () => {
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(acceptSecrets);
      return response;
    }),
    getPluginInfo: unary(async () => {
      const response = new plugin.PluginInfo();
      response.setVersion(version);
      return response;
    }),
    attach: unary(async () => new Empty()),
    checkConfig: unary(async (request: messages.CheckRequest) => {
      const inputs = fromStruct(request.getNews());
      const response = new messages.CheckResponse();
      response.setInputs(
        toStruct((await provider.checkConfig?.(inputs, fromStruct(request.getOlds()))) ?? inputs),
      );
      return response;
    }),
    diffConfig: unary(async (request: messages.DiffRequest) =>
      diffResponse(
        (await provider.diffConfig?.(
          fromStruct(request.getOldInputs() ?? request.getOlds()),
          fromStruct(request.getNews()),
        )) ?? { changes: {} },
      ),
    ),
    configure: unary(async (request: messages.ConfigureRequest) => {
      await provider.configure(fromStruct(request.getArgs()));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(acceptSecrets);
      response.setSupportspreview(true);
      return response;
    }),
    check: unary(async (request: messages.CheckRequest) => {
      const { inputs, failures } = await provider.check(
        identify(request),
        fromStruct(request.getNews()),
        fromStruct(request.getOlds()),
        request.getRandomseed_asU8(),
      );
      const response = new messages.CheckResponse();
      response.setInputs(toStruct(inputs));
      response.setFailuresList(
        (failures ?? []).map(({ property, reason }) => {
          const failure = new messages.CheckFailure();
          failure.setProperty(property);
          failure.setReason(reason);
          return failure;
        }),
      );
      return response;
    }),
    diff: unary(async (request: messages.DiffRequest) =>
      diffResponse(
        await provider.diff(
          identify(request),
          fromStruct(request.getOlds()),
          fromStruct(request.getNews()),
          fromStruct(request.getOldInputs()),
        ),
      ),
    ),
    create: unary(async (request: messages.CreateRequest) => {
      const { id, state } = await provider.create(
        identify(request),
        fromStruct(request.getProperties()),
        request.getPreview(),
      );
      const response = new messages.CreateResponse();
      response.setId(id);
      response.setProperties(toStruct(state));
      return response;
    }),
    read: unary(async (request: messages.ReadRequest) => {
      const found = await provider.read(
        identify(request),
        request.getId(),
        fromStruct(request.getProperties()),
        fromStruct(request.getInputs()),
      );
      const response = new messages.ReadResponse();
      if (found) {
        response.setId(found.id);
        response.setProperties(toStruct(found.state));
        response.setInputs(toStruct(found.inputs));
      }
      return response;
    }),
    update: unary(async (request: messages.UpdateRequest) => {
      const state = await provider.update(
        identify(request),
        request.getId(),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
        request.getPreview(),
      );
      const response = new messages.UpdateResponse();
      response.setProperties(toStruct(state));
      return response;
    }),
    delete: unary(async (request: messages.DeleteRequest) => {
      await provider.delete(
        identify(request),
        request.getId(),
        fromStruct(request.getProperties()),
      );
      return new Empty();
    }),
    cancel: unary(async () => {
      await provider.cancel();
      return new Empty();
    }),
  };
}

interface Identified {
  getUrn(): string;
  getType(): string;
  getTimeout?(): number;
}

function identify(request: Identified): ResourceId {
  return {
    urn: request.getUrn(),
    type: request.getType(),
    timeoutSeconds: request.getTimeout?.() ?? 0,
  };
}

function diffResponse({ changes, deleteBeforeReplace = true }: Diff): messages.DiffResponse {
  const kinds = messages.PropertyDiff.Kind;
  const response = new messages.DiffResponse();
  const paths = Object.entries(changes);
  const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
  response.setChanges(paths.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setHasdetaileddiff(true);
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setDiffsList([...new Set(paths.map(([path]) => path.split(/[.[]/)[0] ?? path))]);
  for (const [path, change] of paths) {
    const property = new messages.PropertyDiff();
    property.setKind(
      {
        add: kinds.ADD,
        update: kinds.UPDATE,
        delete: kinds.DELETE,
        replace: kinds.UPDATE_REPLACE,
      }[change],
    );
    response.getDetaileddiffMap().set(path, property);
    if (change === "replace") response.addReplaces(path);
  }
  return response;
}

function unary<Request, Response>(handle: (request: Request) => Promise<Response>) {
  return (
    call: grpc.ServerUnaryCall<Request, Response>,
    callback: grpc.sendUnaryData<Response>,
  ) => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => callback(serviceError(error)),
    );
  };
}

/** The engine shows the message of an error to the user as it is: no stack, no prefix. */
function serviceError(error: unknown): Partial<grpc.StatusObject> {
  const message = error instanceof Error ? error.message : String(error);
  if (process.env.PGHERD_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (!(error instanceof InitFailedError)) return { code: grpc.status.UNKNOWN, details: message };
  const detail = new messages.ErrorResourceInitFailed();
  detail.setId(error.id);
  detail.setProperties(toStruct(error.state));
  detail.setReasonsList([...error.reasons]);
  const packed = new Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const rich = new status.Status();
  rich.setCode(grpc.status.UNKNOWN);
  rich.setMessage(message);
  rich.addDetails(packed);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details: message, metadata };
}
