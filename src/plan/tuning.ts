import { megabytes } from "../config/size";

/** What PostgreSQL may use of a host. */
interface Resources {
  /** Bytes. */
  readonly memory: number;
  readonly cores: number;
  /** Bytes of the data directory's file system. */
  readonly disk: number;
}

const MB = 2 ** 20;
const GB = 2 ** 30;

/**
 * Settings that fit a host which runs nothing but PostgreSQL. Memory and workers are Pigsty 4.5's `oltp` formulas
 * (roles/pgsql/templates/oltp.yml), work_mem with a lower floor for small hosts. WAL is kept within the disk: a replica
 * or backup host that stays away costs six twentieths of it at most (`max_slot_wal_keep_size`), then it must be made
 * anew, instead of the primary running out of space.
 * @param connections the value of max_connections, which share the memory.
 */
export function tuned(
  { memory, cores, disk }: Resources,
  connections: number,
): { readonly [name: string]: string | number } {
  const shared = memory / 4;
  const wal = clamp(disk / 20, 160 * MB, 100 * GB);
  const parallel = Math.max(Math.ceil(cores / 2), 2);
  return {
    shared_buffers: megabytes(Math.max(shared, 16 * MB)),
    effective_cache_size: megabytes(memory - shared),
    work_mem: megabytes(clamp(shared / connections, 4 * MB, GB)),
    maintenance_work_mem: megabytes(clamp(shared / 4, 32 * MB, 2 * GB)),
    max_worker_processes: Math.max(cores + 8, 16) + 8,
    max_parallel_workers: parallel,
    max_parallel_workers_per_gather: clamp(Math.floor(cores / 5), 2, 8),
    max_parallel_maintenance_workers: Math.max(Math.ceil(cores / 3), 2),
    min_wal_size: megabytes(wal),
    max_wal_size: megabytes(4 * wal),
    max_slot_wal_keep_size: megabytes(6 * wal),
    checkpoint_timeout: "15min",
    checkpoint_completion_target: 0.9,
    // For disks without moving heads.
    random_page_cost: 1.1,
    effective_io_concurrency: 200,
    track_io_timing: "on",
    log_checkpoints: "on",
    log_lock_waits: "on",
    idle_in_transaction_session_timeout: "10min",
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
