/** A key that nobody else uses: one per wish, so that asking twice does not do it twice. */
export function freshKey(): string {
  // Not randomUUID, which a page that came over plain HTTP from another machine does not have.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
