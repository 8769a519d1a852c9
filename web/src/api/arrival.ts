import { headersFor, inFragment, storeToken, tokenIn } from "./session";

let refused = false;

/** Whether the page was opened with a token in its address that signed nobody in. */
export function wasRefused(): boolean {
  return refused;
}

/**
 * Sign in with the token in the page's address (`#token=…`), which is removed there at once.
 *
 * True when it signed in. Only the local token is taken: a link with a token of another account
 * must not sign anybody in to that account. Never throws.
 */
export async function arrive(): Promise<boolean> {
  const found = inFragment(location.hash);
  if (found === null) return false;
  history.replaceState(history.state, "", location.pathname + location.search);
  const token = tokenIn(found);
  const accepted = token !== null && (await isLocal(token));
  if (accepted) storeToken(token);
  refused = !accepted;
  return accepted;
}

async function isLocal(token: string): Promise<boolean> {
  try {
    const answer = await fetch("/api/v1/session", { headers: headersFor(token) });
    return answer.ok && ((await answer.json()) as { local: boolean }).local;
  } catch {
    return false;
  }
}
