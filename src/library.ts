// What `import { … } from "pgherd"` has.
export { Cluster, type ClusterArgs } from "./components/cluster";
