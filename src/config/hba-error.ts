/** Why PostgreSQL would refuse a line of pg_hba.conf: what it expects, and what stands there. */
export class HbaError extends Error {
  constructor(expectation: string, remedy = " Mend the line.") {
    super(`${expectation}.${remedy}`);
  }
}
