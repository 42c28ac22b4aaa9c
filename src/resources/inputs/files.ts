/** A file as it must stand on a host. */
export interface FileInput {
  /** The whole text; ends in a newline. */
  readonly content: string;
  /** Four octal digits: `0644`. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

/** A directory as it must stand on a host. */
export type DirectoryInput = Omit<FileInput, "content">;
