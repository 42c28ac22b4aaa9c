import type { ClusterEvent } from "../operator/events";

/** What has happened, the latest first. */
export function Events({ events }: { events: readonly ClusterEvent[] }) {
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events</h2>
      <ol class="events" aria-live="polite">
        {events.map(({ at, severity, text }) => (
          <li key={`${at} ${text}`} class={severity}>
            <time dateTime={at}>{at.slice(11, 19)}</time> {text}
          </li>
        ))}
      </ol>
      {events.length === 0 && <p>Nothing has happened yet.</p>}
    </section>
  );
}
