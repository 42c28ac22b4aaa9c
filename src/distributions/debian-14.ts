import { DEBIAN } from "./debian";
import type { Distribution } from "./distribution";

/** forky. Until its release it has no number of its own (base-files, /etc/os-release). */
export const debian14: Distribution = {
  ...DEBIAN,
  name: "debian-14",
  title: "Debian 14",
  systems: ["debian 14", "debian forky"],
};
