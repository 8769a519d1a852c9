import { createFileRoute } from "@tanstack/react-router";
import { CredentialsPage } from "../settings/CredentialsPage";

export const Route = createFileRoute("/credentials")({ component: CredentialsPage });
