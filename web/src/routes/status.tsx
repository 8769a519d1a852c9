import { createFileRoute } from "@tanstack/react-router";
import { StatusPage } from "../settings/StatusPage";

export const Route = createFileRoute("/status")({ component: StatusPage });
