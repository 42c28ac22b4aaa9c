/** What must hold across the etcd members. */
export interface EtcdClusterInputs {
  readonly cluster: string;
  /** Client URL by host: `{ db1: "http://10.89.0.11:2379" }`. */
  readonly members: { readonly [host: string]: string };
  /** Alarms that are raised: none, or else etcd takes no writes (`NOSPACE`) or holds what is damaged (`CORRUPT`). */
  readonly alarms: readonly string[];
}
