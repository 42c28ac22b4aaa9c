import { useState } from "preact/hooks";

/** Asks for the server's token. */
export function Login({ problem, enter }: { problem?: string; enter: (token: string) => void }) {
  const [token, setToken] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    if (token.trim() !== "") enter(token.trim());
  };
  return (
    <main class="login">
      <h1>pgherd</h1>
      <form onSubmit={submit}>
        <label for="token">Token, which `pgherd serve` has shown</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
          aria-describedby="problem"
        />
        <button type="submit">Enter</button>
        <p id="problem" role="alert">
          {problem}
        </p>
      </form>
    </main>
  );
}
