import type { CredentialInfo, ProviderState } from "../api/schema";

/** Providers as people call them. */
export const NAMES: Record<string, string> = {
  ollama: "Ollama",
  openai: "OpenAI and compatible",
  anthropic: "Anthropic",
  bedrock: "AWS Bedrock",
  testmodel: "Built-in test model",
};

/** What a stored credential leads to, as far as it is known. */
export interface StoredModels {
  credential: CredentialInfo;
  models: readonly string[];
  /** Why there are none; empty while it is asked, too. */
  reason: string;
}

interface Group {
  group: string;
  items: string[];
}

/** Whether a credential's service can be asked for its models. */
export function listsModels({ provider }: CredentialInfo): boolean {
  return provider === "openai" || provider === "anthropic" || provider === "ollama";
}

/** The credential that a test means which names none: the default, else the only one. */
export function meant(
  credentials: readonly CredentialInfo[],
  provider: string,
): CredentialInfo | undefined {
  const fitting = credentials.filter((one) => one.provider === provider);
  const usual = fitting.find((one) => one.name === "default");
  return usual ?? (fitting.length === 1 ? fitting[0] : undefined);
}

/**
 * The models to choose from. Where a stored credential stands in for the operator's, its models
 * stand in for the operator's, too. No model is there twice.
 */
export function groupsOf(
  states: readonly ProviderState[],
  stored: readonly StoredModels[],
): Group[] {
  const credentials = stored.map(({ credential }) => credential);
  const found = stored.map(({ credential, models }) => ({
    group: `${NAMES[credential.provider]}, credential ${credential.name}`,
    items: models.map((model) => `${credential.provider}:${model}`),
  }));
  for (const state of states) {
    if (!state.reachable || state.name === "testmodel" || meant(credentials, state.name)) continue;
    const items = state.models.map((model) => `${state.name}:${model}`);
    found.push({ group: NAMES[state.name] ?? state.name, items });
  }
  const testmodel = states.some((state) => state.name === "testmodel" && state.reachable);
  const own = testmodel ? ["testmodel", "none"] : ["none"];
  return unique([...found, { group: "Without a provider", items: own }]);
}

function unique(groups: readonly Group[]): Group[] {
  const seen = new Set<string>();
  return groups
    .map(({ group, items }) => ({
      group,
      items: items.filter((item) => !seen.has(item) && seen.add(item)),
    }))
    .filter(({ items }) => items.length > 0);
}

/**
 * Which credential a test has to name for a model that was chosen from the groups: null for none,
 * undefined where what is named may stay.
 */
export function credentialFor(
  model: string,
  stored: readonly StoredModels[],
): string | null | undefined {
  const provider = model.slice(0, model.indexOf(":"));
  const fitting = stored.filter(({ credential }) => credential.provider === provider);
  if (fitting.length === 0) return undefined;
  const name = model.slice(provider.length + 1);
  const owner = fitting.find(({ models }) => models.includes(name))?.credential;
  const usual = meant(
    fitting.map(({ credential }) => credential),
    provider,
  );
  return owner === undefined || owner === usual ? null : owner.name;
}
