import type { LoggedEvent } from "../cluster/event-log";

/** What has happened, the latest first. Times are UTC, as in the logs of the hosts. */
export function Events({ events }: { events: readonly LoggedEvent[] }) {
  const today = new Date().toISOString().slice(0, 10);
  return (
    <section aria-labelledby="events">
      <h2 id="events">
        Events <span class="aside">UTC</span>
      </h2>
      {events.length === 0 ? (
        <p>Nothing has happened yet.</p>
      ) : (
        <ol class="events" aria-live="polite">
          {events.map(({ id, at, severity, text, count, since, unwatched }) => (
            <li key={id} class={severity}>
              <time dateTime={at}>{momentOf(at, today)}</time>
              <span>
                {text}
                {count !== undefined && (
                  <span class="aside">
                    {" "}
                    {count} times since {momentOf(since ?? at, today)}
                  </span>
                )}
                {unwatched && <span class="aside"> from the records</span>}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** `12:03:04`, with the day where it is another one than today. */
function momentOf(at: string, today: string): string {
  const time = at.slice(11, 19);
  return at.startsWith(today) ? time : `${at.slice(0, 10)} ${time}`;
}
