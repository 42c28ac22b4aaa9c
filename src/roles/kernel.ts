/** Notice a peer that is gone within two minutes, instead of two hours (Pigsty's values). */
export const KEEPALIVES = {
  "net.ipv4.tcp_keepalive_time": "60",
  "net.ipv4.tcp_keepalive_intvl": "20",
  "net.ipv4.tcp_keepalive_probes": "3",
};

/** Ports that a host takes for connections of its own; what its daemons listen on must be kept out of a wide range. */
export const LOCAL_PORTS = "net.ipv4.ip_local_port_range";
