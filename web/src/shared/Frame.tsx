import {
  ActionIcon,
  Group,
  Text,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Activity, FlaskConical, History, KeyRound, Moon, Sun } from "lucide-react";
import type { ReactNode } from "react";
import classes from "./Frame.module.css";
import { Mark } from "./Mark";
import { PaletteButton } from "./PaletteButton";

const PLACES = [
  { to: "/", label: "Bench", icon: FlaskConical },
  { to: "/tests", label: "History", icon: History },
  { to: "/credentials", label: "Credentials", icon: KeyRound },
  { to: "/status", label: "Status", icon: Activity },
] as const;

/** What surrounds every page: the name, the places, the colours. */
export function Frame({ children }: { children: ReactNode }) {
  return (
    <>
      <header className={classes.header}>
        <a href="#main" className={classes.skip}>
          Skip to the content
        </a>
        <UnstyledButton component={Link} to="/" aria-label="Seatrial" className={classes.name}>
          <Mark />
          <Text component="span" fw={650} size="lg" visibleFrom="sm">
            Seatrial
          </Text>
        </UnstyledButton>
        <nav className={classes.places} aria-label="Places">
          {PLACES.map(({ to, label, icon: Icon }) => (
            <Link
              key={to}
              to={to}
              className={classes.place}
              activeOptions={{ exact: to === "/" }}
              aria-label={label}
            >
              <Icon size={17} aria-hidden />
              <span className={classes.label}>{label}</span>
            </Link>
          ))}
        </nav>
        <Group gap={4} wrap="nowrap">
          <PaletteButton />
          <Colours />
        </Group>
      </header>
      <main id="main" tabIndex={-1} className={classes.main}>
        {children}
      </main>
    </>
  );
}

function Colours() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={`Use ${other} colours`}
      onClick={() => setColorScheme(other)}
    >
      {scheme === "dark" ? <Sun size={18} /> : <Moon size={18} />}
    </ActionIcon>
  );
}
