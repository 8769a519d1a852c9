import { identity } from "./session";

/** Which server is asked, and with which headers that say who asks. */
export interface Door {
  /** The server's address without a path; empty for the page's own. */
  base: string;
  headers(): Record<string, string>;
}

/** The page's own server, asked as whoever is signed in. */
export const here: Door = { base: "", headers: identity };
