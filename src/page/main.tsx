import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Message } from "../api/live";
import { call, listen, NotLetIn, savedToken, saveToken } from "./api";
import { Cluster } from "./cluster";
import { Events } from "./events";
import { Login } from "./login";
import { EMPTY, take, type News } from "./news";
import { Timeline } from "./timeline";
import { Header } from "./header";

const RETRY_MS = 1000;

function Page() {
  const [token, setToken] = useState(savedToken());
  const [problem, setProblem] = useState<string>();
  const [connected, setConnected] = useState(false);
  const [news, setNews] = useState<News>(EMPTY);

  useEffect(() => {
    if (token === undefined) return;
    const stop = new AbortController();
    void keepListening(
      (message) => setNews((before) => take(before, message)),
      (up) => {
        setConnected(up);
        // What was told before comes again with the new connection.
        if (up) setNews((before) => ({ ...before, events: [] }));
      },
      stop.signal,
    ).catch((error: Error) => {
      saveToken(undefined);
      setToken(undefined);
      setProblem(error.message);
    });
    return () => stop.abort();
  }, [token]);

  if (token === undefined) {
    const enter = (given: string) => {
      saveToken(given);
      setProblem(undefined);
      setToken(given);
    };
    return <Login problem={problem} enter={enter} />;
  }
  const act = (method: string, path: string, body?: object) => call(method, path, body);
  return (
    <>
      <Header news={news} connected={connected} act={act} />
      <main>
        <Cluster news={news} act={act} />
        <Timeline report={news.probe} act={act} />
        <Events events={news.events} />
      </main>
    </>
  );
}

/** Listens, and connects again whenever that ends. @throws NotLetIn */
async function keepListening(
  hear: (message: Message) => void,
  connected: (up: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await listen(hear, () => connected(true), signal);
    } catch (error) {
      connected(false);
      if (error instanceof NotLetIn) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

render(<Page />, document.getElementById("page") as HTMLElement);
