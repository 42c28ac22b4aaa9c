import type { HostAnswer, StatusPlan } from "../status";
import { barmanHealth, type BarmanAnswer, type BarmanState } from "./barman";
import { dcsHealth, type DcsAnswer, type DcsSection } from "./dcs";
import { firewallHealth, type FirewallAnswer } from "./firewall";
import { haproxyHealth, type HaproxyAnswer, type HaproxyState } from "./haproxy";
import { keepalivedHealth, type KeepalivedAnswer, type KeepalivedState } from "./keepalived";
import { patroniHealth, type PatroniAnswer, type PatroniState } from "./patroni";
import type { RoleHealth } from "./role-health";

/** What a host may answer, by the roles that it has. */
export interface RoleAnswers
  extends PatroniAnswer, DcsAnswer, KeepalivedAnswer, HaproxyAnswer, FirewallAnswer, BarmanAnswer {}

/** What the roles show of a cluster. */
export interface RoleStates
  extends PatroniState, DcsSection, KeepalivedState, HaproxyState, BarmanState {}

/** The roles, in the order in which people are told what is wrong with them. */
export const ROLES_HEALTH: readonly RoleHealth[] = [
  patroniHealth,
  dcsHealth,
  keepalivedHealth,
  haproxyHealth,
  firewallHealth,
  barmanHealth,
];

/** What all of them show. */
export function statesOf(plan: StatusPlan, answers: readonly HostAnswer[]): RoleStates {
  return {
    ...patroniHealth.state(plan, answers),
    ...dcsHealth.state(plan, answers),
    ...keepalivedHealth.state(plan, answers),
    ...haproxyHealth.state(plan, answers),
    ...barmanHealth.state(plan, answers),
  };
}
