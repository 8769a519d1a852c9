import type { Credential } from "../api/schema";

type Provider = Credential["provider"];
type FieldName = Exclude<keyof Credential, "provider">;

/** A field of a credential as the form asks for it. */
export interface CredentialField {
  name: FieldName;
  label: string;
  secret?: boolean;
  optional?: boolean;
  placeholder?: string;
}

const KEY: CredentialField = { name: "api_key", label: "API key", secret: true };
const URL: CredentialField = {
  name: "base_url",
  label: "Base URL",
  optional: true,
  placeholder: "When not at its usual address",
};

/** What can be stored, and what each kind asks for. The server checks it all again. */
export const PROVIDERS: Record<Provider, { label: string; fields: readonly CredentialField[] }> = {
  openai: { label: "OpenAI and compatible", fields: [KEY, URL] },
  anthropic: { label: "Anthropic", fields: [KEY, URL] },
  bedrock: {
    label: "AWS Bedrock",
    fields: [
      { name: "region", label: "Region", placeholder: "us-east-1" },
      { name: "access_key_id", label: "Access key id", secret: true, optional: true },
      { name: "secret_access_key", label: "Secret access key", secret: true, optional: true },
      { name: "session_token", label: "Session token", secret: true, optional: true },
      { name: "role_arn", label: "Role to assume (ARN)", optional: true },
      { name: "external_id", label: "External id", secret: true, optional: true },
    ],
  },
  ollama: {
    label: "Ollama elsewhere",
    fields: [
      { ...URL, optional: false, placeholder: "https://ollama.example.com" },
      { ...KEY, label: "Bearer token", optional: true },
    ],
  },
  secret: {
    label: "Secret of a tool",
    fields: [{ name: "value", label: "Value", secret: true }],
  },
};
