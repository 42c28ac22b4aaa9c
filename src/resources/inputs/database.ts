/** A login role as it must be. */
export interface RoleInput {
  readonly name: string;
  readonly createdb: boolean;
  readonly createrole: boolean;
  /** -1 is no limit. */
  readonly connectionLimit: number;
  /** Whether it may stream WAL; not given for users, whose rights of this kind stay as they are. */
  readonly replication?: boolean;
  /** Roles that it is a member of, sorted. */
  readonly memberOf?: readonly string[];
  /** Whether it is to be a member of no others that the stack or PostgreSQL makes; without it none is given up. */
  readonly noOthers?: boolean;
  /** Functions of the database `postgres` that it may call, as regprocedure spells them, sorted. */
  readonly executes?: readonly string[];
  /** What holds in its sessions, whatever the server's own settings say, as `ALTER ROLE … SET` writes it. */
  readonly settings?: { readonly [name: string]: string };
  /** What becomes of a user that the stack does not name any more; its login is closed where nothing is said. */
  readonly onRemoval?: "keep" | "drop";
}

/** A database as it must be. */
export interface DatabaseInput {
  readonly name: string;
  readonly owner: string;
  readonly extensions: readonly string[];
  /** Nothing where none is wanted. */
  readonly schemas?: readonly SchemaInput[];
  /** What becomes of it once the stack does not name it any more; it stays where nothing is said. */
  readonly onRemoval?: "drop";
}

/** A schema of a database; one that is not wanted any more stays. */
export interface SchemaInput {
  readonly name: string;
  readonly owner: string;
  /** Roles that may use it, sorted; others may too. */
  readonly usage: readonly string[];
  /** Roles that may create something in it, sorted; others may too. */
  readonly create: readonly string[];
}
