import { isIPv4 } from "node:net";

/**
 * The network that an address with its prefix length lies in: `10.89.0.100/24` becomes `10.89.0.0/24`, and
 * `fd00:89::100/64` becomes `fd00:89::/64`.
 */
export function networkOf(address: string): string {
  const [base = "", prefix = ""] = address.split("/");
  const size = isIPv4(base) ? 32 : 128;
  const host = BigInt(size - Number(prefix));
  const network = (valueOf(base) >> host) << host;
  return `${size === 32 ? textOf4(network) : textOf6(network)}/${prefix}`;
}

function valueOf(address: string): bigint {
  if (isIPv4(address)) return joined(address.split(".").map(Number), 8n);
  // The last 32 bits may be written as an IPv4 address: `::ffff:10.89.0.11`.
  const plain = address.replace(/[\d.]+\.[\d.]+$/, (tail) => {
    const value = valueOf(tail);
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [head = [], tail = []] = plain
    .split("::")
    .map((half) => (half === "" ? [] : half.split(":").map((group) => parseInt(group, 16))));
  const zeros = Array<number>(8 - head.length - tail.length).fill(0);
  return joined([...head, ...zeros, ...tail], 16n);
}

function joined(groups: readonly number[], bits: bigint): bigint {
  return groups.reduce((value, group) => (value << bits) | BigInt(group), 0n);
}

function textOf4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
}

/** The longest run of zeros is left out (RFC 5952). */
function textOf6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  const text = groups.join(":");
  const runs = [...text.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const longest = runs.sort((a, b) => b[0].length - a[0].length)[0];
  if (!longest) return text;
  const before = text.slice(0, longest.index).replace(/:$/, "");
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}
