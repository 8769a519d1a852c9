import { createFileRoute } from "@tanstack/react-router";
import { Bench } from "../bench/Bench";

export const Route = createFileRoute("/")({ component: Bench });
