import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import messages from "@pulumi/pulumi/proto/language_pb";
import plugin from "@pulumi/pulumi/proto/plugin_pb";
import { about, installDependencies, programDependencies, requiredPackages } from "./node-project";
import { runProgram, type Run } from "./node-run";

/**
 * The language host for Node programs, for machines where the official `pulumi-language-nodejs` cannot be had
 * (sdk/nodejs/cmd/pulumi-language-nodejs of github.com/pulumi/pulumi, 3.250.0). It starts the program as the official
 * one does; what only `pulumi new`, `pulumi convert` and policy packs need is left out and says so.
 */
const VERSION = "3.250.0";

const PARENT_CHECK_MS = 1000;

/** The running program, so that the engine's Cancel reaches it. */
const running = new Set<AbortController>();

let engineAddress = process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "";

const handlers: grpc.UntypedServiceImplementation = {
  handshake: unary(async (request: messages.LanguageHandshakeRequest) => {
    engineAddress = request.getEngineAddress() || engineAddress;
    return new messages.LanguageHandshakeResponse();
  }),
  getPluginInfo: unary(async () => {
    const response = new plugin.PluginInfo();
    response.setVersion(VERSION);
    return response;
  }),
  getRequiredPackages: unary(async (request: messages.GetRequiredPackagesRequest) => {
    const response = new messages.GetRequiredPackagesResponse();
    response.setPackagesList(
      requiredPackages(directories(request.getInfo())).map((required) => {
        const dependency = new plugin.PackageDependency();
        dependency.setName(required.name);
        dependency.setKind("resource");
        dependency.setVersion(required.version);
        dependency.setServer(required.server);
        return dependency;
      }),
    );
    return response;
  }),
  run: unary(async (request: messages.RunRequest) => {
    const abort = new AbortController();
    running.add(abort);
    try {
      const { error, bail } = await runProgram(describe(request), abort.signal);
      const response = new messages.RunResponse();
      response.setError(error);
      response.setBail(bail);
      return response;
    } finally {
      running.delete(abort);
    }
  }),
  getProgramDependencies: unary(async (request: messages.GetProgramDependenciesRequest) => {
    const response = new messages.GetProgramDependenciesResponse();
    response.setDependenciesList(
      programDependencies(directories(request.getInfo())).map(({ name, version }) => {
        const dependency = new messages.DependencyInfo();
        dependency.setName(name);
        dependency.setVersion(version);
        return dependency;
      }),
    );
    return response;
  }),
  about: unary(async () => {
    const { executable, version } = about();
    const response = new messages.AboutResponse();
    response.setExecutable(executable);
    response.setVersion(version);
    return response;
  }),
  installDependencies: (
    call: grpc.ServerWritableStream<
      messages.InstallDependenciesRequest,
      messages.InstallDependenciesResponse
    >,
  ) => {
    const write = (stream: "stdout" | "stderr", bytes: Buffer) => {
      const response = new messages.InstallDependenciesResponse();
      if (stream === "stdout") response.setStdout(bytes);
      else response.setStderr(bytes);
      call.write(response);
    };
    installDependencies(call.request.getInfo()?.getProgramDirectory() ?? ".", write).then(
      () => call.end(),
      (error: Error) => call.emit("error", { code: grpc.status.UNKNOWN, details: error.message }),
    );
  },
  runtimeOptionsPrompts: unary(async () => new messages.RuntimeOptionsResponse()),
  template: unary(async () => new messages.TemplateResponse()),
  cancel: unary(async () => {
    cancel();
    return new Empty();
  }),
  runPlugin: absent("plugins written in Node"),
  generateProgram: absent("`pulumi convert`"),
  generateProject: absent("`pulumi convert`"),
  generatePackage: absent("`pulumi package add`"),
  pack: absent("`pulumi package pack-sdk`"),
  link: absent("`pulumi package add`"),
};

function describe(request: messages.RunRequest): Run {
  const info = request.getInfo();
  return {
    engineAddress,
    monitorAddress: request.getMonitorAddress(),
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    rootDirectory: info?.getRootDirectory() ?? "",
    programDirectory: info?.getProgramDirectory() ?? request.getPwd(),
    entryPoint: info?.getEntryPoint() || ".",
    args: request.getArgsList(),
    dryRun: request.getDryrun(),
    parallel: request.getParallel(),
    config: Object.fromEntries(request.getConfigMap().toObject(true)),
    configSecretKeys: request.getConfigsecretkeysList(),
    attachDebugger: request.getAttachDebugger(),
    options: options(info?.getOptions()),
  };
}

function options(struct: Struct | undefined): { [name: string]: unknown } {
  return struct?.toJavaScript() ?? {};
}

function directories(info: messages.ProgramInfo | undefined): string[] {
  return [...new Set([info?.getProgramDirectory() ?? ".", info?.getRootDirectory() ?? "."])];
}

function cancel(): void {
  for (const abort of running) abort.abort();
}

function absent(what: string) {
  return unary<unknown, never>(async () => {
    throw new Error(
      `pgherd's stand-in for pulumi-language-nodejs does not do ${what}.\n` +
        "Install Pulumi from https://www.pulumi.com/docs/install/ and run tools/setup again: it then uses the official one.",
    );
  });
}

function unary<Request, Response>(handle: (request: Request) => Promise<Response>) {
  return (
    call: grpc.ServerUnaryCall<Request, Response>,
    callback: grpc.sendUnaryData<Response>,
  ) => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: Error) => callback({ code: grpc.status.UNKNOWN, details: error.message }),
    );
  };
}

const server = new grpc.Server({
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
});
server.addService(LanguageRuntimeService as grpc.ServiceDefinition, handlers);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});

/** Ends the program with the host: the engine sends the signal when it is done and kills what is left after five seconds. */
function end(): void {
  cancel();
  process.exit(0);
}
process.on("SIGINT", end);
process.on("SIGTERM", end);
const engine = process.ppid;
setInterval(() => process.ppid !== engine && end(), PARENT_CHECK_MS).unref();
