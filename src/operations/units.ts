import { loadedRecord, type UnitState } from "../facts/systemd";
import { quote, words } from "../host/shell";

/** How a daemon is told of a new configuration. */
type Loading = "reload" | "restart";

/**
 * Enables and starts a unit, or makes it load its configuration; nothing of it where nothing has to be done.
 * @param hash of the configuration on disk; recorded with the unit's run once it has been loaded.
 * @param wait whether to wait until it is started; etcd starts only when others do, and must not be waited for.
 */
export function runUnit(
  unit: string,
  state: UnitState,
  {
    hash,
    outdated,
    loading,
    wait,
  }: { hash: string; outdated: boolean; loading: Loading; wait: boolean },
): string {
  const name = quote(unit);
  // systemd itself does not always notice a new folder of drop-ins (NeedDaemonReload of 252 says no).
  const lines = ["systemctl daemon-reload"];
  if (state.enabled !== "enabled") lines.push(enableUnits([unit]));
  if (!isUp(state)) {
    lines.push(resetFailed(unit));
    lines.push(`systemctl start ${wait ? "" : "--no-block "}${name}`);
    if (wait) lines.push(recordLoaded(unit, hash));
  } else if (outdated && loading === "restart" && !wait) {
    lines.push(`systemctl stop ${name}`, `systemctl start --no-block ${name}`);
  } else if (outdated) {
    lines.push(`systemctl ${loading} ${name}`, recordLoaded(unit, hash));
  } else {
    // What was changed just now needed no loading.
    lines.push(recordLoaded(unit, hash));
  }
  return lines.join("\n");
}

/** Has units start with the host, whoever has masked them, for good or until its next start (systemctl(1), mask, --runtime). */
export function enableUnits(units: readonly string[]): string {
  const names = words(units);
  return [
    `systemctl -q unmask ${names}`,
    `systemctl -q unmask --runtime ${names}`,
    `systemctl enable -q ${names}`,
  ].join("\n");
}

/** Whether the unit runs, or is about to. */
export function isUp({ active, sub }: Pick<UnitState, "active" | "sub">): boolean {
  return (
    ["active", "reloading"].includes(active) || (active === "activating" && sub !== "auto-restart")
  );
}

/** Lets a unit start again that systemd has given up; one that has not failed, or is not there, is no error. */
export function resetFailed(unit: string): string {
  // systemd knows no unit that has never run.
  return `systemctl reset-failed ${quote(unit)} 2>/dev/null || :`;
}

function recordLoaded(unit: string, hash: string): string {
  const record = quote(loadedRecord(unit));
  const show = (property: string) => `$(systemctl show -p ${property} --value ${quote(unit)})`;
  return `mkdir -p /run/pgherd/loaded && echo "${show("InvocationID")} ${hash} ${show("StateChangeTimestampMonotonic")}" >${record}`;
}

/** Keeps units from ever starting, without stopping what runs. */
export function maskUnits(units: readonly string[]): string {
  return units.map((unit) => `ln -sfn /dev/null /etc/systemd/system/${quote(unit)}`).join("\n");
}

/** Stops a unit and keeps it from starting; an unknown one is no error. */
export function retireUnit(unit: string): string {
  const name = quote(unit);
  return `if systemctl cat ${name} >/dev/null 2>&1; then systemctl disable -q --now ${name}; fi\nrm -f ${quote(loadedRecord(unit))}`;
}
