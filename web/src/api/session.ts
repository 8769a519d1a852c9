/** The API token of this browser, where the server asks for one. */
const KEY = "seatrial.token";

/** The token that is sent along, if any. */
export function storedToken(): string | null {
  return localStorage.getItem(KEY);
}

/** Keep this token for all tabs, or forget the one that is kept. */
export function storeToken(token: string | null): void {
  if (token === null) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, token);
}

/** The headers that say who is asking. */
export function identity(): Record<string, string> {
  const token = storedToken();
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}
