import * as command from "@pulumi/command";
import { Cluster } from "pgherd";

// Any provider can make the machines; here a command stands in for one. What it answers is an Output.
const machine = new command.local.Command("machine", { create: "printf %s 10.89.0.12" });

const orders = new Cluster("orders", {
  hosts: { db1: { address: "10.89.0.11" } },
  cluster: {
    postgresql: {
      version: 17,
      users: [{ name: "orders" }],
      databases: [{ name: "orders", owner: "orders" }],
    },
    members: ["db1"],
    replication: { mode: "asynchronous" },
    dcs: { kind: "etcd", members: ["db1"] },
    firewall: { clients: ["10.89.0.0/24"] },
  },
});

const stock = new Cluster("stock", {
  hosts: { db2: { address: machine.stdout } },
  cluster: {
    members: ["db2"],
    replication: { mode: "asynchronous" },
    dcs: { kind: "etcd", members: ["db2"] },
    firewall: { clients: ["10.89.0.0/24"] },
  },
});

export const ordersConnection = orders.connection;
export const ordersPasswords = orders.passwords;
export const stockConnection = stock.connection;
/** For `pgherd … --config-file FILE`. */
export const ordersStack = orders.stackFile;
