import { View } from "./view";
import { type Seen, Watch } from "./watch";

const TICK = 1000;

/**
 * `<seatrial-test server="https://…" test="…" token="…">`: one test, live.
 *
 * Dispatches `seatrial-token-expired` (bubbling, `detail.test` is the id) when the token's time is
 * over; it goes on where it was when the attribute `token` has a new one.
 */
export class SeatrialTest extends HTMLElement {
  static readonly observedAttributes = ["server", "test", "token"];

  private readonly view = new View(this.attachShadow({ mode: "open" }));
  private watch: Watch | null = null;
  private watched = "";
  private due = false;
  private frame = 0;
  private ticking: ReturnType<typeof setInterval> | undefined;
  private newest: Seen | null = null;

  connectedCallback(): void {
    this.settle();
  }

  disconnectedCallback(): void {
    this.end();
  }

  attributeChangedCallback(_: string, before: string | null, after: string | null): void {
    if (before !== after) this.settle();
  }

  /** Attributes are often set one after the other: begin when all of them are there. */
  private settle(): void {
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      if (this.isConnected) this.begin();
    });
  }

  private begin(): void {
    const [server, test, token] = SeatrialTest.observedAttributes.map((name) =>
      (this.getAttribute(name) ?? "").trim(),
    );
    const wanted = `${server} ${test}`;
    if (wanted !== this.watched) this.end();
    if (!server || !test || !token) return;
    if (this.watch === null) {
      this.view.clear();
      this.watched = wanted;
      const door = { base: server.replace(/\/+$/, ""), headers: () => this.identity() };
      this.watch = new Watch(door, test, (seen) => this.onChange(test, seen));
      this.ticking = setInterval(() => this.view.tick(), TICK);
    }
    this.watch.go();
  }

  private end(): void {
    this.watch?.stop();
    this.watch = null;
    this.watched = "";
    this.newest = null;
    clearInterval(this.ticking);
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  private identity(): Record<string, string> {
    return { Authorization: `Bearer ${(this.getAttribute("token") ?? "").trim()}` };
  }

  private onChange(test: string, seen: Seen): void {
    const expired = "token.expired";
    if (seen.problem?.code === expired && this.newest?.problem?.code !== expired)
      this.dispatchEvent(
        new CustomEvent("seatrial-token-expired", {
          bubbles: true,
          composed: true,
          detail: { test },
        }),
      );
    this.newest = seen;
    // Events come faster than anybody reads.
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.newest) this.view.show(this.newest);
      if (this.newest?.test?.phase === "completed") clearInterval(this.ticking);
    });
  }
}
