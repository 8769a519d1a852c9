import type { ProviderState } from "../api/schema";

const PART = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}";
const NAME = new RegExp(`^(?:[A-Za-z0-9_][A-Za-z0-9_-]{0,79}/)?${PART}(?::${PART})?$`);

/** The name of Ollama's that a model field names first, as far as it may be pulled; else null. */
export function namedOfOllama(model: string | null | undefined): string | null {
  for (const one of (model ?? "").split(",")) {
    const [provider, ...rest] = one.trim().split(":");
    const name = rest.join(":");
    if (provider === "ollama" && NAME.test(name)) return name;
  }
  return null;
}

/** Whether this server's Ollama could pull that model: it answers, may, and does not have it. */
export function canBePulled(name: string, states: readonly ProviderState[]): boolean {
  const ollama = states.find((state) => state.name === "ollama");
  if (!(ollama?.reachable && ollama.can_pull)) return false;
  return !ollama.models.some((model) => canonical(model) === canonical(name));
}

/** A name without a tag means the tag `latest`. */
export function canonical(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1).includes(":") ? name : `${name}:latest`;
}
