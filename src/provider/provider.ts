import { ConnectError, PgherdError } from "../errors";
import { connectEngine, type EngineLog } from "../rpc/engine";
import { InitFailedError, type Provider, type ResourceId } from "../rpc/server";
import { isUnknown, UNKNOWN, type Value, type Values } from "../rpc/values";
import { abridging } from "./abridging";
import { adoption } from "../migration/provider/adoption";
import { backups } from "./backups";
import { Context } from "./context";
import { cutOver } from "../migration/provider/cut-over";
import { difference, shown } from "./diff";
import { departure } from "./departure";
import { dynamicConfiguration } from "./dynamic-configuration";
import { entryPoint } from "./entry-point";
import { dcsCluster } from "./dcs-cluster";
import { existingDcs } from "./existing-dcs";
import { firewall, newPorts } from "./firewall";
import { fork } from "./fork";
import { formerTokens } from "./former-tokens";
import { formerVoters } from "./former-voters";
import { hostBase } from "./host-base";
import {
  currentInventory,
  isNamedNowhere,
  keepFormerHosts,
  removedHosts,
  type KeptInventory,
} from "./inventory";
import { logins } from "./logins";
import { migrationReport } from "../migration/provider/report";
import { outOfReach } from "./out-of-reach";
import { patroniCluster } from "./patroni-cluster";
import { preflight } from "./preflight";
import { promotion } from "../migration/provider/promotion";
import { UNFINISHED, untyped, type AnyResourceType } from "./resource";
import { rollback } from "../migration/provider/rollback";
import { service } from "./service";
import { standbyCluster } from "../migration/provider/standby-cluster";
import { standbyRollback } from "../migration/provider/standby-rollback";
import { standbySlot } from "../migration/provider/standby-slot";
import { survey } from "../migration/provider/survey";
import { takeover } from "../migration/provider/takeover";
import { updateReport } from "./update-report";

const TYPES: { readonly [type: string]: AnyResourceType } = {
  "pgherd:index:Preflight": untyped(preflight),
  "pgherd:index:UpdateReport": untyped(updateReport),
  "pgherd:index:Departure": untyped(departure),
  "pgherd:index:Survey": untyped(survey),
  "pgherd:index:MigrationReport": untyped(migrationReport),
  "pgherd:index:Adoption": untyped(adoption),
  "pgherd:index:Takeover": untyped(takeover),
  "pgherd:index:CutOver": untyped(cutOver),
  "pgherd:index:Rollback": untyped(rollback),
  "pgherd:index:StandbySlot": untyped(standbySlot),
  "pgherd:index:StandbyCluster": untyped(standbyCluster),
  "pgherd:index:Promotion": untyped(promotion),
  "pgherd:index:StandbyRollback": untyped(standbyRollback),
  "pgherd:index:HostBase": untyped(hostBase),
  "pgherd:index:Firewall": untyped(firewall),
  "pgherd:index:NewPorts": untyped(newPorts),
  "pgherd:index:Service": untyped(service),
  "pgherd:index:EtcdCluster": untyped(dcsCluster),
  "pgherd:index:FormerTokens": untyped(formerTokens),
  "pgherd:index:FormerVoters": untyped(formerVoters),
  "pgherd:index:ExistingDcs": untyped(existingDcs),
  "pgherd:index:DynamicConfiguration": untyped(dynamicConfiguration),
  "pgherd:index:PatroniCluster": untyped(patroniCluster),
  "pgherd:index:Logins": untyped(logins),
  "pgherd:index:Backups": untyped(backups),
  "pgherd:index:EntryPoint": untyped(entryPoint),
  "pgherd:index:Fork": untyped(fork),
};

/**
 * The provider: hands each call to the resource's type and keeps the engine's rules.
 * @param engineAddress where the engine listens for messages to the user.
 */
export function pgherdProvider(engineAddress: string | undefined): Provider {
  const log: EngineLog = engineAddress ? connectEngine(engineAddress) : SILENT;
  let context: Context | undefined;

  const configured = () => {
    if (!context)
      throw new PgherdError("the provider has no inventory yet: a call came before configure.");
    return context;
  };
  const apply = async (
    id: ResourceId,
    name: string,
    inputs: Values,
    known?: Values,
  ): Promise<Values> => {
    const type = typeOf(id);
    try {
      return await type.apply(configured(), id.urn, inputs, known);
    } catch (error) {
      // Nothing was changed where no connection came about: then there is nothing to remember either.
      if (type.readOnly || error instanceof ConnectError) throw error;
      const left = known && type.unfinished ? type.unfinished(inputs, known) : inputs;
      throw new InitFailedError(name, { ...left, ...UNFINISHED }, [
        error instanceof Error ? error.message : String(error),
      ]);
    }
  };

  const foretell = async (id: ResourceId, inputs: Values, state: Values): Promise<void> => {
    // What is not known yet is taken as unchanged: it is told of where it comes from.
    const settled = Object.fromEntries(
      Object.entries(inputs).map(([key, value]) => [
        key,
        value === UNKNOWN ? (state[key] ?? null) : value,
      ]),
    );
    const effects = (await typeOf(id).foresee?.(configured(), settled, state)) ?? [];
    const { told } = configured();
    for (const effect of effects.filter((one) => !told.has(one))) {
      told.add(effect);
      // Shown before this call returns, and so before what comes next in the preview.
      await log.info(id.urn, effect);
    }
  };

  const provider: Provider = {
    async checkConfig(inputs, oldInputs) {
      return keepFormerHosts(inputs, oldInputs);
    },
    async diffConfig(oldInputs, inputs) {
      return difference(oldInputs, inputs, []);
    },
    async configure(args) {
      const recorded = args.inventory as unknown as KeptInventory;
      const inventory = currentInventory(recorded, process.env.PULUMI_CONFIG, () =>
        log.warning("", UNREADABLE),
      );
      const removed = removedHosts(recorded, process.env.PULUMI_CONFIG);
      const former = Object.keys(recorded.former ?? {});
      context = new Context(inventory, log, former, undefined, removed);
    },
    async check(id, inputs, oldInputs) {
      const type = typeOf(id);
      const failures =
        type.check && !isUnknown(inputs)
          ? await type.check(configured(), inputs, oldInputs, id.urn)
          : [];
      return { inputs, failures };
    },
    async diff(id, state, inputs) {
      const { identity, derived = [], judged = [] } = typeOf(id);
      const tracked = Object.fromEntries(
        Object.entries(inputs).filter(([name]) => !judged.includes(name)),
      );
      const { changes } = shown(difference(state, tracked, identity), derived);
      return { changes: state.unfinished ? { ...changes, unfinished: "delete" } : changes };
    },
    async create(id, inputs, preview) {
      const name = typeOf(id).id(inputs);
      return {
        id: name,
        state: preview && !looksOnly(id, inputs) ? inputs : await apply(id, name, inputs),
      };
    },
    async read(id, name, state, inputs) {
      // The engine may know no inputs (a resource that is being imported): the state holds them all.
      const imported = Object.keys(inputs).length === 0;
      const wanted = imported ? state : inputs;
      const found = await typeOf(id)
        .read(configured(), wanted, state)
        .catch((error: unknown) => {
          if (imported || !(error instanceof ConnectError)) throw error;
          // What was there is all that anybody will ever know of it.
          if (configured().isRemoved(error.host)) return state;
          return outOfReach(configured(), error, state).catch((refusal: unknown) => {
            throw isNamedNowhere(error.host, process.env.PULUMI_CONFIG)
              ? withConsent(refusal, error.host)
              : refusal;
          });
        });
      if (!found) return undefined;
      // What was wanted stays, whatever was found: the next look has to ask for all of it again.
      return {
        id: name,
        state: found,
        inputs: imported ? pick(found, Object.keys(wanted)) : inputs,
      };
    },
    async update(id, name, state, inputs, preview) {
      if (preview) await foretell(id, inputs, state);
      return !preview || looksOnly(id, inputs)
        ? apply(id, name, inputs, state)
        : { ...state, ...inputs };
    },
    async delete(id, _name, state) {
      try {
        await typeOf(id).delete(configured(), id.urn, state);
      } catch (error) {
        if (!(error instanceof ConnectError) || !configured().isRemoved(error.host)) throw error;
        log.warning(id.urn, leftBehind(error.host));
      }
    },
    async cancel() {
      context?.close();
    },
  };
  return abridging(provider, shortForms);
}

/** What follows from others or is only judged is out of sight; see `brief` for the rest. */
function shortForms(id: ResourceId, inputs: Values): { [name: string]: Value | undefined } {
  const { derived = [], judged = [], brief } = typeOf(id);
  const hidden = [...derived, ...judged].map((name) => [name, undefined]);
  return { ...Object.fromEntries(hidden), ...brief?.(inputs) };
}

const UNREADABLE =
  "pgherd:hosts and pgherd:ssh of the stack cannot be read, so the hosts are reached as in the last run. " +
  "`pulumi preview` tells what is wrong with them.";

function leftBehind(host: string): string {
  return `${host} cannot be reached and is given up (pgherd:cluster.removed): what is on it stays there, its secrets as well. The other hosts let it in no more.`;
}

/** An error with the way on where a host is gone for good. */
function withConsent(error: unknown, host: string): unknown {
  if (!(error instanceof PgherdError)) return error;
  return new PgherdError(
    `${error.message}\nIf ${host} was a member and is gone for good, say so: pgherd:cluster.removed: [${host}] (docs/members.md).`,
  );
}

const SILENT: EngineLog = { progress() {}, info: async () => {}, warning() {} };

function typeOf({ urn, type }: ResourceId): AnyResourceType {
  // Engines before 3.130 name the type only in the URN: …::parent$type::name.
  const token = type || (urn.split("::")[2]?.split("$").at(-1) ?? "");
  const found = TYPES[token];
  if (!found) throw new PgherdError(`${urn}: expected a resource type of pgherd, got "${token}".`);
  return found;
}

/** Whether the resource can be brought about even in a preview. */
function looksOnly(id: ResourceId, inputs: Values): boolean {
  return typeOf(id).readOnly === true && !isUnknown(inputs);
}

function pick(values: Values, keys: string[]): Values {
  return Object.fromEntries(keys.map((key) => [key, values[key] ?? null]));
}
