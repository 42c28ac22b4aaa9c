/** A text in Base64, as JSON interfaces take keys and values. */
export function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}

export function decoded(text: string): string {
  return Buffer.from(text, "base64").toString();
}
