// Where the rest of this folder finds it until it has moved to src/cluster as well.
export * from "../cluster/cluster";
