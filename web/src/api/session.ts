/** The token of this browser, where the server asks for one. */
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
  return token === null ? {} : headersFor(token);
}

/** The headers of a request with this token. */
export function headersFor(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

/** The token in what was pasted: itself, or the address that contains it. Null for neither. */
export function tokenIn(pasted: string): string | null {
  const text = pasted.trim();
  const token = text.includes("#") ? inFragment(text.slice(text.indexOf("#"))) : text;
  // A header takes no other characters. An address without a token is not one.
  return token && /^[\x21-\x7e]+$/.test(token) && !token.includes("://") ? token : null;
}

/** The token in `#token=…`. */
export function inFragment(fragment: string): string | null {
  return new URLSearchParams(fragment.replace(/^#/, "")).get("token");
}
