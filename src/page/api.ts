import type { Message } from "../api/live";

// The API as this page uses it. The token stays in this tab.

const KEY = "pgherd-token";

/** The token that was typed in, or that the page's address brought; it is taken out of the address at once. */
export function savedToken(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function saveToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
}

/** The token is not the server's. */
export class NotLetIn extends Error {}

/** One call. @throws Error with the server's own words. */
export async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${savedToken() ?? ""}`,
      ...(body && { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(body),
  });
  if (response.status === 401) throw new NotLetIn("This is not the server's token.");
  const answer = (await response.json()) as T & { error?: string };
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

/**
 * Hears what happens until the connection ends. (EventSource would do the same, but cannot send the token in a header.)
 * @throws Error when the connection breaks, NotLetIn when the token is wrong.
 */
export async function listen(
  hear: (message: Message) => void,
  connected: () => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch("/api/v1/events", {
    headers: { authorization: `Bearer ${savedToken() ?? ""}` },
    signal,
  });
  if (response.status === 401) throw new NotLetIn("This is not the server's token.");
  if (!response.ok || !response.body) throw new Error(response.statusText);
  connected();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The server has ended the connection.");
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, type, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (type !== undefined && data !== undefined)
        hear({ type, data: JSON.parse(data) } as Message);
    }
  }
}
